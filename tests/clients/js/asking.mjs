// The AWS SDK for JavaScript v3, one call a line.
import * as cognito from '@aws-sdk/client-cognito-identity-provider';

export { cognito };
export const client = (endpoint, credentials) =>
  new cognito.CognitoIdentityProviderClient({ endpoint, region: 'us-east-1', maxAttempts: 1, credentials });
export const ask = (who, operation, input) => who.send(new cognito[`${operation}Command`](input));
// The class that the SDK made of a refusal, if it has one of that name.
export const refusal = (who, operation, input) => ask(who, operation, input).then(() => 'not refused', (fault) => {
  const typed = cognito[fault.name] && fault instanceof cognito[fault.name] ? '' : 'untyped ';
  return `${typed}${fault.$metadata.httpStatusCode} ${fault.name}: ${fault.message}`;
});
