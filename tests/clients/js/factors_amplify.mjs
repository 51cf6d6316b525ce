// AWS Amplify 6 with mailed codes: as second factor, set up and chosen; as first factor; and signed in after a registration.
import { Amplify } from 'aws-amplify';
import * as auth from 'aws-amplify/auth';
import { cognitoUserPoolsTokenProvider } from 'aws-amplify/auth/cognito';
import { mailedCode } from './mails.mjs';
import { code } from './totp.mjs';

const [userPoolEndpoint, mails, name, password, choosing, setting] = process.argv.slice(2);
const words = (fault) => `${fault.name}: ${fault.message}`;
const into = (place) => {
  const [userPoolId, userPoolClientId] = place.split(' ');
  Amplify.configure({ Auth: { Cognito: { userPoolId, userPoolClientId, userPoolEndpoint } } });
  const kept = new Map();
  cognitoUserPoolsTokenProvider.setKeyValueStorage({
    setItem: async (key, value) => void kept.set(key, value),
    getItem: async (key) => kept.get(key) ?? null,
    removeItem: async (key) => void kept.delete(key),
    clear: async () => kept.clear(),
  });
};
const step = (answer) => answer.nextStep.signInStep;
const seen = {};

// A pool whose users choose.
into(choosing);
const newcomer = `new-${name}`;
const options = { userAttributes: { email: `${newcomer}@example.test` }, autoSignIn: { authFlowType: 'USER_AUTH' } };
await auth.signUp({ username: newcomer, options });
const confirmed = await auth.confirmSignUp({ username: newcomer, confirmationCode: await mailedCode(mails, newcomer) });
seen.confirmed = confirmed.nextStep.signUpStep;
seen['signed in at once'] = (await auth.autoSignIn()).isSignedIn;
await auth.signOut();
const byMail = { authFlowType: 'USER_AUTH', preferredChallenge: 'EMAIL_OTP' };
seen['asked for a code'] = step(await auth.signIn({ username: newcomer, options: byMail }));
seen['wrong code'] = await auth.confirmSignIn({ challengeResponse: '00000000' }).catch(words);
seen['by code'] = (await auth.confirmSignIn({ challengeResponse: await mailedCode(mails, newcomer, 2, 8) })).isSignedIn;
await auth.signOut();
const asked = await auth.signIn({ username: name, options: { authFlowType: 'USER_AUTH' } });
seen['asked to choose'] = [step(asked), asked.nextStep.availableChallenges];
seen.chose = step(await auth.confirmSignIn({ challengeResponse: 'PASSWORD_SRP' }));
seen['by password'] = (await auth.confirmSignIn({ challengeResponse: password })).isSignedIn;
await auth.signOut();
const byPassword = { authFlowType: 'USER_AUTH', preferredChallenge: 'PASSWORD' };
seen['by password at once'] = (await auth.signIn({ username: name, password, options: byPassword })).isSignedIn;
await auth.signOut();

// A pool that needs a second factor.
into(setting);
const bare = `bare-${name}`;
seen['asked to set up'] = step(await auth.signIn({ username: bare, password }));
seen['set up by mail'] = step(await auth.confirmSignIn({ challengeResponse: 'EMAIL' }));
seen['mailed'] = step(await auth.confirmSignIn({ challengeResponse: `${bare}@example.test` }));
seen['has a factor'] = (await auth.confirmSignIn({ challengeResponse: await mailedCode(mails, bare) })).isSignedIn;
const { sharedSecret } = await auth.setUpTOTP();
await auth.verifyTOTPSetup({ code: code(sharedSecret) });
await auth.updateMFAPreference({ totp: 'ENABLED', email: 'ENABLED' });
seen.preference = await auth.fetchMFAPreference();
await auth.signOut();
const select = await auth.signIn({ username: bare, password });
seen['asked which'] = [step(select), select.nextStep.allowedMFATypes];
seen['chose mail'] = step(await auth.confirmSignIn({ challengeResponse: 'EMAIL' }));
seen['by both'] = (await auth.confirmSignIn({ challengeResponse: await mailedCode(mails, bare, 2) })).isSignedIn;
// Amplify would wait for minutes whether somebody else signs the newcomer in.
process.stdout.write(JSON.stringify(seen), () => process.exit());
