// Opens /docs, notes which hosts it asks and which operations it shows, and takes a picture.
import { chrome } from './chrome.mjs';

const [url, picture] = process.argv.slice(2);
const seen = await chrome(async (context) => {
  const tab = await context.newPage();
  const hosts = new Set();
  const problems = [];
  tab.on('request', (request) => { if (/^(https?|wss?):/.test(request.url())) hosts.add(new URL(request.url()).host); });
  tab.on('pageerror', (error) => problems.push(String(error)));
  tab.on('response', (response) => { if (response.status() >= 400) problems.push(`${response.status()} ${response.url()}`); });
  await tab.setViewportSize({ width: 1200, height: 1600 });
  await tab.goto(`${url}/docs`);
  await tab.waitForSelector('.opblock');
  await tab.click('#operations-Sign-in-login');
  await tab.waitForSelector('#operations-Sign-in-login .response');
  await tab.screenshot({ path: picture });
  const operations = await tab.$$eval('.opblock-summary', (rows) => rows.map((row) =>
    `${row.querySelector('.opblock-summary-method').textContent} ${row.querySelector('.opblock-summary-path').dataset.path}`));
  return { operations, hosts: [...hosts], problems };
});
console.log(JSON.stringify(seen));
