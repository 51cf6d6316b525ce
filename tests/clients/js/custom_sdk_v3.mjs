// AWS SDK for JavaScript v3: a challenge of the pool's own, then a code by text message.
import { ask, client, refusal } from './asking.mjs';

const [endpoint, ClientId, Username, gateway, number, withText, texted] = process.argv.slice(2);
const user = client(endpoint);
const seen = {};

const begin = (id, AuthFlow, AuthParameters) => ask(user, 'InitiateAuth', { ClientId: id, AuthFlow, AuthParameters });
const answer = (id, { ChallengeName, Session }, responses) =>
  [user, 'RespondToAuthChallenge', { ClientId: id, ChallengeName, Session, ChallengeResponses: responses }];
const say = (asked, ANSWER) => answer(ClientId, asked, { USERNAME: Username, ANSWER });

const asked = await begin(ClientId, 'CUSTOM_AUTH', { USERNAME: Username });
seen.asked = asked.ChallengeParameters.question;
const again = await ask(...say(asked, '41'));
seen['asked again'] = again.ChallengeParameters.question;
seen['signed in'] = (await ask(...say(again, '42'))).AuthenticationResult.TokenType;
const other = await begin(ClientId, 'CUSTOM_AUTH', { USERNAME: Username });
seen.wrong = await refusal(...say(await ask(...say(other, '40')), '41'));

const [USERNAME, PASSWORD] = texted.split(' ');
const sent = await begin(withText, 'USER_PASSWORD_AUTH', { USERNAME, PASSWORD });
seen['text message'] = [sent.ChallengeName, sent.ChallengeParameters.CODE_DELIVERY_DESTINATION];
seen['wrong code'] = await refusal(...answer(withText, sent, { USERNAME, SMS_MFA_CODE: 'none' }));
let message;
for (let tries = 0; tries < 200 && !message; tries += 1) {
  message = (await (await fetch(gateway)).json()).find((one) => one.to === number);
  await new Promise((resolve) => setTimeout(resolve, 50));
}
const SMS_MFA_CODE = message.text.match(/\b\d{6}\b/)[0];
seen['by text message'] = (await ask(...answer(withText, sent, { USERNAME, SMS_MFA_CODE }))).AuthenticationResult.TokenType;
console.log(JSON.stringify(seen));
