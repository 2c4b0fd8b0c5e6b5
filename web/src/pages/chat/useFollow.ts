// Who moves the conversation. FOLLOWING: the end is shown, and only `pin` moves the frame, after every change of sizes. READING:
// somebody looks at something further up, and only the virtualizer moves the frame, to keep what is read where it is. Never both:
// a correction by one would look like the reader's hand to the other.
import { useCallback, useLayoutEffect, useRef, useState, type RefObject } from 'react';
import type { KeyboardEvent, PointerEvent, TouchEvent, WheelEvent } from 'react';

/**
 * What moves without a hand seen here (a search in the page, the keyboard's focus) leaves the end when it goes further than this.
 * Somebody who scrolls down to within this has reached the end, which may have moved on meanwhile.
 */
const nearPx = 80;

const upwards = new Set(['ArrowUp', 'PageUp', 'Home']);

/** Whether something inside the frame, a box with its own scrollbar, takes a movement upwards. */
function isTakenInside(target: EventTarget, frame: Element): boolean {
  for (let e = target instanceof Element ? target : null; e && e !== frame; e = e.parentElement)
    if (e.scrollTop > 0 && /auto|scroll/.test(getComputedStyle(e).overflowY)) return true;
  return false;
}

export function useFollow(frame: RefObject<HTMLDivElement>, atFirst: boolean) {
  const [isFollowing, setFollowing] = useState(atFirst);
  // The same, for what happens between two renderings.
  const now = useRef(atFirst);
  const last = useRef({ top: 0, left: 0 });
  /** A scrollbar is dragged, or the middle button scrolls. */
  const isHeld = useRef(false);
  /** Somebody scrolls, not a link to a message. */
  const isByHand = useRef(false);
  const touchY = useRef(0);

  const become = useCallback((follows: boolean) => {
    now.current = follows;
    setFollowing(follows);
  }, []);
  const pin = useCallback(() => {
    const element = frame.current;
    if (!element || !now.current) return;
    element.scrollTop = element.scrollHeight;
    last.current = { top: element.scrollTop, left: 0 };
  }, [frame]);
  const follow = useCallback(() => {
    become(true);
    pin();
  }, [become, pin]);

  // The frame itself changes with the composer and the window.
  useLayoutEffect(() => {
    const element = frame.current;
    if (!element) return;
    const observer = new ResizeObserver(pin);
    observer.observe(element);
    return () => observer.disconnect();
  }, [frame, pin]);

  const onScroll = () => {
    const element = frame.current;
    if (!element) return;
    const top = element.scrollTop;
    const left = element.scrollHeight - top - element.clientHeight;
    const was = last.current;
    if (now.current) {
      // Here `pin` alone moves the frame, and the browser where the content gets shorter, which ends at the end.
      if (top < was.top - 1 && left > (isHeld.current ? 1 : nearPx)) become(false);
      else if (left > 1) return;
    } else if (top > was.top + 0.5 && (left <= 1 || (isByHand.current && left < nearPx && left < was.left))) {
      follow();
      return;
    }
    last.current = { top, left };
  };
  /** At once, not with the first movement: a pin in between would stop the movement. */
  const leaveFor = (target: EventTarget) => {
    const element = frame.current;
    if (element && now.current && element.scrollTop > 0 && !isTakenInside(target, element)) become(false);
  };
  const hands = {
    onScroll,
    onWheel: (event: WheelEvent) => {
      isByHand.current = true;
      if (event.deltaY < 0 && -event.deltaY > Math.abs(event.deltaX) && !event.ctrlKey) leaveFor(event.target);
    },
    onTouchStart: (event: TouchEvent) => {
      touchY.current = event.touches[0]?.clientY ?? 0;
    },
    onTouchMove: (event: TouchEvent) => {
      isByHand.current = true;
      const y = event.touches[0]?.clientY ?? 0;
      if (y > touchY.current) leaveFor(event.target);
      touchY.current = y;
    },
    onKeyDown: (event: KeyboardEvent) => {
      const isWritten = event.target instanceof Element && event.target.closest('input, textarea, select, [role="menu"]') !== null;
      if (event.defaultPrevented || isWritten) return;
      isByHand.current = true;
      if (upwards.has(event.key) || (event.key === ' ' && event.shiftKey)) leaveFor(event.target);
    },
    onPointerDown: (event: PointerEvent) => {
      const element = frame.current;
      const isBar = event.target === element && element !== null && event.nativeEvent.offsetX >= element.clientWidth;
      isHeld.current = isBar || event.button === 1;
      isByHand.current ||= isHeld.current;
    },
    onPointerMove: (event: PointerEvent) => {
      if (event.buttons === 0) isHeld.current = false;
    },
  };
  const leave = useCallback(() => {
    isByHand.current = false;
    become(false);
  }, [become]);
  return { isFollowing, isFollowingNow: now, follow, leave, pin, hands };
}
