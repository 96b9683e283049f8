import { createInMemoryReplyBox } from './in-memory-reply-box.ts';
import { replyBoxSuite } from './reply-box-suite.ts';

replyBoxSuite('the box of replies in memory', () => {
  const shared = { replies: new Map<string, string>(), readers: new Set<() => void>() };
  return { box: createInMemoryReplyBox(shared), other: createInMemoryReplyBox(shared) };
});
