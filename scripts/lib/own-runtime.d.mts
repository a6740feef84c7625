// For lib/, which is compiled without a look at JavaScript.
export const childMark: string;
export function isApplication(): boolean;
