// The codes that the service mailed; without a mail server, mails are files.
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

const pause = () => new Promise((resolve) => setTimeout(resolve, 50));

// The mails to NAME@example.test, oldest first.
async function mailsTo(folder, name) {
  const found = [];
  for (const file of await readdir(folder).catch(() => [])) {
    const path = join(folder, file);
    const text = await readFile(path, 'utf8');
    if (text.includes(`To: ${name}@example.test`)) found.push({ at: (await stat(path)).mtimeMs, text });
  }
  return found.sort((one, other) => one.at - other.at).map((mail) => mail.text);
}

// The code in the mail of this number, once it is there.
export async function mailedCode(folder, name, number = 1) {
  for (let tries = 0; tries < 200; tries += 1) {
    const code = (await mailsTo(folder, name))[number - 1]?.match(/^\s*(\d{6})\s*$/m);
    if (code) return code[1];
    await pause();
  }
  throw new Error(`no code for ${name} in ${folder}`);
}
