// Markdown as the model writes it, also while it is still writing. Nothing of it is trusted: raw HTML is shown as text, the
// result is sanitised all the same, pictures become links (the console asks nobody outside for anything), links open elsewhere.
import DOMPurify from 'dompurify';
import MarkdownIt from 'markdown-it';
import { memo, useEffect, useMemo, useRef, useState } from 'react';
import { useCommon } from '../i18n/common';
import { highlight, isHighlighterReady, loadHighlighter } from './highlight';
import './markdown.css';

const markdown = new MarkdownIt({ html: false, linkify: true, breaks: true });
// Without it a bare `readme.md` would be a link to a place in Moldova.
markdown.linkify.set({ fuzzyLink: false, fuzzyEmail: false });
markdown.renderer.rules.image = (tokens, index) => {
  const token = tokens[index]!;
  const escape = markdown.utils.escapeHtml;
  const address = token.attrGet('src') ?? '';
  return `<a href="${escape(address)}">${escape(token.content || address)}</a>`;
};
markdown.renderer.rules.fence = (tokens, index) => {
  const token = tokens[index]!;
  const language = token.info.trim().split(/\s+/)[0] ?? '';
  const code = highlight(token.content, language) ?? markdown.utils.escapeHtml(token.content);
  const name = markdown.utils.escapeHtml(language);
  return `<div class="code"><div class="code__head"><span>${name}</span><button type="button" class="code__copy"></button></div><pre tabindex="0"><code>${code}</code></pre></div>`;
};
markdown.renderer.rules.table_open = () => '<div class="prose__table" tabindex="0"><table>';
markdown.renderer.rules.table_close = () => '</table></div>';

const allowed = {
  ALLOWED_TAGS: [
    'a',
    'b',
    'blockquote',
    'br',
    'button',
    'code',
    'del',
    'div',
    'em',
    'h1',
    'h2',
    'h3',
    'h4',
    'h5',
    'h6',
    'hr',
    'li',
    'ol',
    'p',
    'pre',
    's',
    'span',
    'strong',
    'table',
    'tbody',
    'td',
    'th',
    'thead',
    'tr',
    'ul',
  ],
  ALLOWED_ATTR: ['href', 'class', 'start', 'tabindex', 'type', 'target', 'rel'],
  ALLOWED_URI_REGEXP: /^(?:https?|mailto):/i,
};

const purify = DOMPurify(window);
purify.addHook('afterSanitizeAttributes', (node) => {
  if (node.tagName !== 'A') return;
  node.setAttribute('target', '_blank');
  node.setAttribute('rel', 'noopener noreferrer nofollow');
});

export const toHtml = (text: string): string => purify.sanitize(markdown.render(text), allowed);

export const Markdown = memo(function Markdown({ text }: { text: string }) {
  const t = useCommon();
  const frame = useRef<HTMLDivElement>(null);
  const [ready, setReady] = useState(isHighlighterReady);
  const hasCode = text.includes('```') || text.includes('~~~');
  useEffect(() => {
    if (!hasCode || ready) return;
    let wanted = true;
    loadHighlighter().then(
      () => wanted && setReady(true),
      () => {}, // Without colours the code is readable, too.
    );
    return () => void (wanted = false);
  }, [hasCode, ready]);
  const html = useMemo(() => ({ __html: toHtml(text) }), [text, ready && hasCode]);

  useEffect(() => {
    for (const button of frame.current?.querySelectorAll<HTMLButtonElement>('.code__copy') ?? []) button.textContent = t.copy;
  }, [html, t]);
  const copy = (target: EventTarget) => {
    if (!(target instanceof HTMLButtonElement) || !target.classList.contains('code__copy')) return;
    const code = target.closest('.code')?.querySelector('code')?.textContent ?? '';
    navigator.clipboard?.writeText(code).then(
      () => (target.textContent = t.copied),
      () => {},
    );
  };
  return <div ref={frame} className="prose" onClick={(event) => copy(event.target)} dangerouslySetInnerHTML={html} />;
});
