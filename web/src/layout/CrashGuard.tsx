// An error of one page leaves the others, and the navigation, usable.
import { Component, type ReactNode } from 'react';
import { useCommon } from '../i18n/common';
import { Button, Note } from '../ui';

function Crashed({ error }: { error: Error }) {
  const t = useCommon();
  return (
    <div className="page" role="alert">
      <Note tone="bad">
        <div className="note__text">
          <strong>{t.crash}</strong> {t.crashRemedy}
          <pre className="json">{error.message}</pre>
        </div>
        <Button onClick={() => window.location.reload()}>{t.retry}</Button>
      </Note>
    </div>
  );
}

export class CrashGuard extends Component<{ children: ReactNode }, { error: Error | null }> {
  state = { error: null as Error | null };
  static getDerivedStateFromError(error: unknown) {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }
  render() {
    return this.state.error ? <Crashed error={this.state.error} /> : this.props.children;
  }
}
