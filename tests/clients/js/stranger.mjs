// A page whose origin is not allowed tries to sign in; the browser must not let it read the answer.
import { chrome } from './chrome.mjs';

const [page, name, password] = process.argv.slice(2);
const seen = await chrome(async (context) => {
  const tab = await context.newPage();
  await tab.goto(page);
  return tab.evaluate(([name, password]) => signIn(name, password).catch((error) => `${error}`), [name, password]);
});
console.log(JSON.stringify(seen));
