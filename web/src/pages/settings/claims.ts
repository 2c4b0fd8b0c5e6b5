// What a token says of its holder. Only read, to be shown: whether it is true is the server's to check.

export interface Claims {
  subject: string;
  expiresAt: Date | null;
  rest: Record<string, unknown>;
}

export function claimsOf(token: string): Claims | null {
  const [, payload] = token.split('.');
  if (!payload || token.split('.').length !== 3) return null;
  try {
    const bytes = Uint8Array.from(atob(payload.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
    const told = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
    const { sub, exp, ...rest } = told;
    return {
      subject: typeof sub === 'string' || typeof sub === 'number' ? String(sub) : '',
      expiresAt: typeof exp === 'number' ? new Date(exp * 1000) : null,
      rest,
    };
  } catch {
    return null;
  }
}
