// The main module of the process that `nudging rpc-server` starts: llama.cpp's server ends its process when something goes wrong, and is
// never told to stop.
import { loadNative, type NativeRpcService } from '../native.ts';

/** What is told once, in answer to the options. */
export type Started = { devices: string[] } | { failure: string };

const end = () => process.kill(process.pid, 'SIGKILL');
process.on('disconnect', end);

// A terminal sends these to both processes. The parent decides what they mean.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK'] as const) process.on(signal, () => {});

process.once('message', (message) => {
  const tell = (started: Started) => process.send?.(started);
  try {
    tell({ devices: loadNative().serveRpc(message as NativeRpcService) });
  } catch (error) {
    tell({ failure: (error as Error).message });
  }
});

if (!process.connected) end();
