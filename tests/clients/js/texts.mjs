// The codes that the service texted, as the gateway tells them.
const pause = () => new Promise((resolve) => setTimeout(resolve, 50));

// The code in the message of this number to a telephone, once it is there.
export async function textedCode(gateway, to, number = 1) {
  for (let tries = 0; tries < 200; tries += 1) {
    const messages = await (await fetch(gateway)).json();
    const code = messages.filter((message) => message.to === to)[number - 1]?.text.match(/\b(\d{6})\b/);
    if (code) return code[1];
    await pause();
  }
  throw new Error(`no code for ${to}`);
}
