// Two JSON values next to each other, line by line; what differs is marked by a sign as well as by colour.
import { toText } from '../../ui';
import { alignLines } from './align';
import { useRecords } from './words';
import './common.css';

export function JsonDiff(props: { left: unknown; right: unknown; leftTitle: string; rightTitle: string; caption: string }) {
  const t = useRecords();
  const rows = alignLines(toText(props.left), toText(props.right));
  return (
    <div className="diff" tabIndex={0} role="region" aria-label={props.caption}>
      <table>
        <caption className="hidden-text">{props.caption}</caption>
        <thead>
          <tr>
            <th scope="col">{props.leftTitle}</th>
            <th scope="col">{props.rightTitle}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row, i) => {
            const differs = row.left !== row.right;
            return (
              <tr key={i}>
                <td className={differs && row.left !== null ? 'diff__old' : undefined}>
                  {differs && row.left !== null && <span className="hidden-text">{t.was} </span>}
                  {row.left}
                </td>
                <td className={differs && row.right !== null ? 'diff__new' : undefined}>
                  {differs && row.right !== null && <span className="hidden-text">{t.is} </span>}
                  {row.right}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
