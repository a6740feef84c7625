// For lib/, which is compiled without a look at JavaScript.
export function availableCores(system?: { platform: string; bound: number; read: (file: string) => string }): number;
