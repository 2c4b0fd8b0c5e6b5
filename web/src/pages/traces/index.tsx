// Runs and what they spent their time on. `/traces`, `/traces/session/S` (of one session), `/traces/T`, `/traces/compare/A/B`.
import { Route, Switch } from 'wouter';
import { Compare } from './Compare';
import { TraceList } from './TraceList';
import { TraceView } from './TraceView';
import './traces.css';

export default function TracesPage() {
  return (
    <Switch>
      <Route path="/traces/compare/:a/:b">{(p) => <Compare key={`${p.a} ${p.b}`} a={p.a} b={p.b} />}</Route>
      <Route path="/traces/session/:id">{(p) => <TraceList key={p.id} session={p.id} />}</Route>
      <Route path="/traces/:id">{(p) => <TraceView key={p.id} id={p.id} />}</Route>
      <Route>
        <TraceList />
      </Route>
    </Switch>
  );
}
