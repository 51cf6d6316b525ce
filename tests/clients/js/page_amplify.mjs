// A page's application on AWS Amplify 6, as its guide has it; only the endpoint is ours.
import { Amplify } from 'aws-amplify';
import { confirmSignUp, fetchAuthSession, getCurrentUser, signIn, signOut, signUp } from 'aws-amplify/auth';

const { endpoint, pool, client } = Object.fromEntries(new URL(location).searchParams);
Amplify.configure({ Auth: { Cognito: { userPoolId: pool, userPoolClientId: client, userPoolEndpoint: endpoint } } });

window.app = {
  register: async (username, email, password) => {
    const answer = await signUp({ username, password, options: { userAttributes: { email } } });
    return answer.nextStep.signUpStep;
  },
  confirm: async (username, confirmationCode) => (await confirmSignUp({ username, confirmationCode })).isSignUpComplete,
  signIn: (username, password) =>
    signIn({ username, password }).then((answer) => answer.isSignedIn, (fault) => `${fault.name}: ${fault.message}`),
  who: () => getCurrentUser().then((user) => user.username, () => null),
  refresh: async () => {
    const before = (await fetchAuthSession()).tokens.accessToken.toString();
    const after = (await fetchAuthSession({ forceRefresh: true })).tokens.accessToken.toString();
    return before !== after;
  },
  signOut: () => signOut().then(() => true),
};
