/** Why nothing could listen at an address, and what to do about it. */
export function whyNotListening({ code, message }: NodeJS.ErrnoException): string {
  const known: Record<string, string> = {
    EADDRINUSE: 'something listens there already: choose another port',
    EACCES: 'this user may not listen there: choose a port from 1024 on',
    EADDRNOTAVAIL: 'this machine does not have that address: choose one of its own',
    ENOTFOUND: 'that is no address: choose one of this machine',
  };
  return known[code ?? ''] ?? `it cannot listen there (${message}): choose another place`;
}
