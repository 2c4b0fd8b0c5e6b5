// The chat: #/chat begins a conversation, #/chat/<session> goes on with one, #/chat/<session>/<message or run> shows a place in it.
import { useCallback, useState } from 'react';
import { Menu as MenuIcon } from 'lucide-react';
import { useLocation, useRoute } from 'wouter';
import { IconButton } from '../../ui';
import { Conversation } from './Conversation';
import { NewChat } from './NewChat';
import { SessionList } from './SessionList';
import { useAgents } from './useAgents';
import { useWords } from './words';
import './chat.css';
import './message.css';

export default function ChatPage() {
  const t = useWords();
  const [, route] = useRoute('/chat/:session?/:place?');
  const [, go] = useLocation();
  const agents = useAgents();
  const [version, setVersion] = useState(0);
  const [isListOpen, setListOpen] = useState(false);
  const changed = useCallback(() => setVersion((n) => n + 1), []);
  const toggle = useCallback(() => setListOpen((open) => !open), []);
  const session = route?.session;
  const fresh = () => {
    setListOpen(false);
    go('/chat');
  };
  return (
    <div className="chat">
      <SessionList current={session} version={version} isOpen={isListOpen} onPick={() => setListOpen(false)} onFresh={fresh} />
      {session ? (
        <Conversation
          key={session}
          sessionId={session}
          place={route?.place}
          agents={agents.all}
          isListOpen={isListOpen}
          onList={toggle}
          onChanged={changed}
        />
      ) : (
        <div className="conversation">
          <header className="toolbar toolbar--new">
            <IconButton
              className="toolbar__list"
              label={isListOpen ? t.sessions.close : t.sessions.open}
              aria-expanded={isListOpen}
              aria-controls="conversations"
              onClick={toggle}
            >
              <MenuIcon size={18} aria-hidden />
            </IconButton>
          </header>
          <NewChat agents={agents} />
        </div>
      )}
    </div>
  );
}
