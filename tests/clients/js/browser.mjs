// Drives a page on another origin through sign-in, refreshes from two tabs at once, and sign-out.
import { chrome } from './chrome.mjs';

const [page, name, password] = process.argv.slice(2);
const seen = await chrome(async (context) => {
  const tabs = [await context.newPage(), await context.newPage()];
  for (const tab of tabs) await tab.goto(page);
  const [first, second] = tabs;
  const seen = { 'wrong password': await first.evaluate((name) => signIn(name, 'not the password'), name) };
  seen['sign-in'] = await first.evaluate(([name, password]) => signIn(name, password), [name, password]);
  seen.refreshes = [];
  for (let round = 0; round < 5; round += 1) {
    seen.refreshes.push(...await Promise.all(tabs.map((tab) => tab.evaluate(() => refresh()))));
  }
  seen['sign-out'] = await second.evaluate(() => signOut());
  seen['refresh after sign-out'] = await first.evaluate(() => refresh());
  return seen;
});
console.log(JSON.stringify(seen));
