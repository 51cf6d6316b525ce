// AWS Amplify 6 for a user who has a number and no address.
import { Amplify } from 'aws-amplify';
import * as auth from 'aws-amplify/auth';
import { cognitoUserPoolsTokenProvider } from 'aws-amplify/auth/cognito';
import { textedCode } from './texts.mjs';

const [userPoolEndpoint, userPoolId, userPoolClientId, gateway, number, next, password] = process.argv.slice(2);
Amplify.configure({ Auth: { Cognito: { userPoolId, userPoolClientId, userPoolEndpoint } } });
const kept = new Map();
cognitoUserPoolsTokenProvider.setKeyValueStorage({
  setItem: async (key, value) => void kept.set(key, value),
  getItem: async (key) => kept.get(key) ?? null,
  removeItem: async (key) => void kept.delete(key),
  clear: async () => kept.clear(),
});
const words = (fault) => `${fault.name}: ${fault.message}`;

const seen = {};
const registered = await auth.signUp({ username: number, password, options: { userAttributes: { phone_number: number } } });
seen.registered = registered.nextStep.codeDeliveryDetails;
const first = await textedCode(gateway, number);
const wrong = first === '000000' ? '000001' : '000000';
seen['wrong code'] = await auth.confirmSignUp({ username: number, confirmationCode: wrong }).catch(words);
await auth.confirmSignUp({ username: number, confirmationCode: first });
await auth.signIn({ username: number, password });
const changed = await auth.updateUserAttributes({ userAttributes: { phone_number: next } });
seen.changed = changed.phone_number.nextStep.updateAttributeStep;
await auth.confirmUserAttribute({ userAttributeKey: 'phone_number', confirmationCode: await textedCode(gateway, next) });
const { phone_number, phone_number_verified } = await auth.fetchUserAttributes();
seen.attributes = { phone_number, phone_number_verified };
await auth.signOut();
const reset = await auth.resetPassword({ username: next });
seen.reset = reset.nextStep.codeDeliveryDetails;
const confirmationCode = await textedCode(gateway, next, 2);
await auth.confirmResetPassword({ username: next, confirmationCode, newPassword: `${password}-2` });
seen['with the new one'] = (await auth.signIn({ username: next, password: `${password}-2` })).isSignedIn;
console.log(JSON.stringify(seen));
