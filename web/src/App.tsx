import { Suspense } from 'react';
import { Redirect, Route, Router, Switch } from 'wouter';
import { useHashLocation } from 'wouter/use-hash-location';
import { useSignedOut } from './api';
import { useCommon } from './i18n/common';
import { CrashGuard } from './layout/CrashGuard';
import { Frame } from './layout/Frame';
import { SignIn } from './layout/SignIn';
import { pages } from './pages';
import { EmptyState, Loading } from './ui';

function Missing() {
  return <EmptyState title={useCommon().missingPage} />;
}

export function App() {
  const signedOut = useSignedOut();
  if (signedOut) return <SignIn />;
  return (
    <Router hook={useHashLocation}>
      <Frame>
        <Switch>
          {pages.map(({ name, path, view: View }) => (
            <Route key={name} path={`${path}/*?`}>
              <CrashGuard key={name}>
                <Suspense fallback={<Loading />}>
                  <View />
                </Suspense>
              </CrashGuard>
            </Route>
          ))}
          <Route path="/">
            <Redirect to="/chat" replace />
          </Route>
          <Route>
            <Missing />
          </Route>
        </Switch>
      </Frame>
    </Router>
  );
}
