/** What was written and not sent, by session, while another one is shown. */
export const drafts = new Map<string, string>();
