// A page on another origin: registers, signs in by SRP, refreshes from two tabs at once, signs out. One JSON answer.
import { chrome } from './chrome.mjs';
import { mailedCode } from './mails.mjs';

const [page, mails, name, password, picture] = process.argv.slice(2);

const seen = await chrome(async (context) => {
  const tabs = [await context.newPage(), await context.newPage()];
  const open = async (tab) => {
    await tab.goto(page);
    await tab.waitForSelector('body[data-ready]');
  };
  const [first, second] = tabs;
  const ask = (tab, verb, ...words) => tab.evaluate(([verb, words]) => app[verb](...words), [verb, words]);
  const kept = (tab) => tab.evaluate(() => Object.entries(localStorage));
  await open(first);
  const seen = { registered: await ask(first, 'register', name, `${name}@example.test`, password) };
  seen.confirmed = await ask(first, 'confirm', name, await mailedCode(mails, name));
  seen.wrong = await ask(first, 'signIn', name, 'not-the-password');
  seen['signed in'] = await ask(first, 'signIn', name, password);
  seen.kept = (await kept(first)).map(([key]) => key.split('.').pop()).sort();
  await open(second);
  seen['second tab'] = await ask(second, 'who');
  seen.refreshed = [];
  for (let round = 0; round < 5; round += 1) {
    seen.refreshed.push(...await Promise.all(tabs.map((tab) => ask(tab, 'refresh'))));
  }
  seen['still there'] = await Promise.all(tabs.map((tab) => ask(tab, 'who')));
  await first.evaluate(() => show());
  await first.screenshot({ path: picture });
  seen['refresh token'] = (await kept(first)).find(([key]) => key.endsWith('.refreshToken'))[1];
  seen['signed out'] = await ask(second, 'signOut');
  seen['kept afterwards'] = (await kept(second)).length;
  await open(first);
  seen['first tab afterwards'] = await ask(first, 'who');
  return seen;
});
console.log(JSON.stringify(seen));
