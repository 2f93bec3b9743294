import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Whether a test with Chromium runs: without it only where parts are required, and then it fails. */
export const hasChromium: boolean = existsSync(executablePath) || process.env.REQUIRE_PARTS === '1';

/** A browser without a window, that asks nobody for anything of its own. */
export function launchChromium(): Promise<Browser> {
  const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'];
  return chromium.launch({ executablePath, args });
}

/** What a page complains about: errors of its scripts, what its policy forbids, dialogs that it opens. */
export function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('dialog', (dialog) => {
    complaints.push(`a dialog: ${dialog.message()}`);
    dialog.dismiss().catch((error: unknown) => complaints.push(String(error)));
  });
  return complaints;
}
