// Everything that is stored. `/sessions`, `/sessions/S`, `/sessions/S/replay`.
import { Route, Switch } from 'wouter';
import { ReplayView } from './ReplayView';
import { SessionList } from './SessionList';
import { SessionView } from './SessionView';
import './sessions.css';

export default function SessionsPage() {
  return (
    <Switch>
      <Route path="/sessions/:id/replay">{(p) => <ReplayView key={p.id} id={p.id} />}</Route>
      <Route path="/sessions/:id">{(p) => <SessionView key={p.id} id={p.id} />}</Route>
      <Route>
        <SessionList />
      </Route>
    </Switch>
  );
}
