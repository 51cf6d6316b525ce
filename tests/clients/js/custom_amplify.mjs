// AWS Amplify 6: CUSTOM_AUTH, after the password by SRP where there is one.
import { Amplify } from 'aws-amplify';
import { confirmSignIn, fetchAuthSession, signIn } from 'aws-amplify/auth';
import { cognitoUserPoolsTokenProvider } from 'aws-amplify/auth/cognito';

const [userPoolEndpoint, userPoolId, userPoolClientId, username, password] = process.argv.slice(2);
Amplify.configure({ Auth: { Cognito: { userPoolId, userPoolClientId, userPoolEndpoint } } });
// Configuring chooses a storage of its own.
const kept = new Map();
cognitoUserPoolsTokenProvider.setKeyValueStorage({
  setItem: async (key, value) => void kept.set(key, value),
  getItem: async (key) => kept.get(key) ?? null,
  removeItem: async (key) => void kept.delete(key),
  clear: async () => kept.clear(),
});

const begin = () => signIn(password
  ? { username, password, options: { authFlowType: 'CUSTOM_WITH_SRP' } }
  : { username, options: { authFlowType: 'CUSTOM_WITHOUT_SRP' } });
const question = ({ nextStep }) => {
  if (nextStep.signInStep !== 'CONFIRM_SIGN_IN_WITH_CUSTOM_CHALLENGE') throw new Error(nextStep.signInStep);
  return nextStep.additionalInfo.question;
};

const seen = { asked: question(await begin()) };
seen['asked again'] = question(await confirmSignIn({ challengeResponse: '41' }));
seen.wrong = await confirmSignIn({ challengeResponse: '41' }).then(() => 'signed in', (fault) => fault.name);
question(await begin());
const { isSignedIn } = await confirmSignIn({ challengeResponse: '42' });
seen['signed in'] = isSignedIn && (await fetchAuthSession()).tokens.accessToken !== undefined;
console.log(JSON.stringify(seen));
