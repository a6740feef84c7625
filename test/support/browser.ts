import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

const places = [process.env['NUDGING_CHROMIUM'] ?? '', '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The Chromium of this machine, if it has one. Nothing is downloaded for tests. */
export const chromiumPath = places.find((place) => place !== '' && existsSync(place));

/** Behind the name of what needs it. */
export const needsChromium =
  chromiumPath === undefined ? ' (skipped: no Chromium here; `apt-get install chromium`, or NUDGING_CHROMIUM)' : '';

/** Starts it without a window, with a profile of its own that goes away with it. It asks nobody but the pages it is sent to. */
export function openBrowser(): Promise<Browser> {
  const quiet = ['--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
  return chromium.launch({ executablePath: chromiumPath as string, args: ['--no-sandbox', '--disable-gpu', ...quiet] });
}
