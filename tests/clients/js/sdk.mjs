// Walks npm wikimedia-enterprise through every operation, each call on another replica than the one before.
import WikimediaEnterprise from 'wikimedia-enterprise';

const [first, second, name, newcomer, password] = process.argv.slice(2);
const clients = [first, second].map((baseURL) => new WikimediaEnterprise({ apiKey: '_', baseURL, maxRetries: 0 }));
let calls = 0;
const client = () => clients[calls++ % 2];
const keys = (answer) => Object.keys(answer).sort();
const refusal = async (call) => {
  const error = await call.then(() => { throw new Error('was not refused'); }, (error) => error);
  return `${error.constructor.name} ${error.status} ${error.error?.message ?? error.message}`;
};

const seen = {};
const tokens = await client().login.authenticate({ username: name, password });
seen.login = keys(tokens);
seen.expires_in = tokens.expires_in;
seen.refresh = keys(await client().tokenRefresh.refresh({ username: name, refresh_token: tokens.refresh_token }));
seen.changed = (await client().changePassword.update({
  access_token: tokens.access_token, previous_password: password, proposed_password: 'a better horse battery staple',
})) ?? null;
seen['old password'] = await refusal(client().login.authenticate({ username: name, password }));

const challenge = await client().login.authenticate({ username: newcomer, password: 'temporary horse staple' });
seen.challenge = keys(challenge);
seen['challenge name'] = challenge.challenge_name;
seen.met = keys(await client().newPasswordRequired.respond({ username: newcomer, session: challenge.session, new_password: password }));

seen.revoked = (await client().tokenRevoke.revoke({ refresh_token: tokens.refresh_token })) ?? null;
seen['revoked again'] = (await client().tokenRevoke.revoke({ refresh_token: tokens.refresh_token })) ?? null;
seen['refresh after revoke'] = await refusal(client().tokenRefresh.refresh({ username: name, refresh_token: tokens.refresh_token }));
seen['garbage revoked'] = await refusal(client().tokenRevoke.revoke({ refresh_token: 'garbage' }));
seen['empty name'] = (await refusal(client().login.authenticate({ username: '', password }))).split(' ').slice(0, 2).join(' ');
seen.forgot = (await client().forgotPassword.sendConfirmationCode({ username: name })) ?? null;
seen['forgot, nobody'] = (await client().forgotPassword.sendConfirmationCode({ username: 'nobody@example.com' })) ?? null;
seen['wrong code'] = await refusal(client().forgotPasswordConfirm.confirm({
  username: name, password: 'yet another horse staple', confirmation_code: '000000',
}));
console.log(JSON.stringify(seen));
