const names: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/**
 * A text for HTML and SVG, as content or between quotation marks. What these cannot hold at all (control characters, lone surrogates,
 * noncharacters) becomes U+FFFD, and so do the characters that turn the direction of all that follows.
 */
export function escaped(text: string): string {
  return text
    .replace(/\p{Surrogate}/gu, '\ufffd')
    .replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff]/g, '\ufffd')
    .replace(/[&<>"']/g, (character) => names[character] as string);
}
