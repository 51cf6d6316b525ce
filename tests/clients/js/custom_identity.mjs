// amazon-cognito-identity-js: CUSTOM_AUTH, after the password by SRP where there is one.
import identity from 'amazon-cognito-identity-js';

const { AuthenticationDetails, CognitoUser, CognitoUserPool } = identity;
const [endpoint, UserPoolId, ClientId, Username, Password] = process.argv.slice(2);
const pool = new CognitoUserPool({ UserPoolId, ClientId, endpoint });

function signIn(answers) {
  const user = new CognitoUser({ Username, Pool: pool });
  user.setAuthenticationFlowType('CUSTOM_AUTH');
  const details = new AuthenticationDetails(Password ? { Username, Password } : { Username });
  const questions = [];
  return new Promise((resolve) => {
    const callbacks = {
      onSuccess: (session) => resolve({ questions, session }),
      onFailure: (fault) => resolve({ questions, fault: fault.code }),
      customChallenge: ({ question }) => {
        questions.push(question);
        user.sendCustomChallengeAnswer(answers[questions.length - 1], callbacks);
      },
    };
    if (Password) user.authenticateUser(details, callbacks);
    else user.initiateAuth(details, callbacks);
  });
}

const wrong = await signIn(['40', '41']);
const right = await signIn(['41', '42']);
console.log(JSON.stringify({
  asked: right.questions[0],
  'asked again': right.questions[1],
  wrong: wrong.fault,
  'signed in': right.session.isValid(),
}));
