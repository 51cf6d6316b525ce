// AWS SDK for JavaScript v3 on a user's own account: registration, attributes, a changed and a forgotten password, an
// authenticator application, sign-in by choice, refresh with rotation, remembered devices; and tokens of a program.
import helper from 'amazon-cognito-identity-js/lib/AuthenticationHelper.js';
import { ask, client, refusal } from './asking.mjs';
import { mailedCode } from './mails.mjs';
import { code } from './totp.mjs';

const { endpoint, mails, name: Username, password, ClientId, rotating, devices, program } = JSON.parse(process.argv[2]);
const user = client(endpoint);
const seen = {};

const begin = (PASSWORD, more = {}, at = ClientId) => ask(user, 'InitiateAuth', {
  ClientId: at, AuthFlow: 'USER_PASSWORD_AUTH', AuthParameters: { USERNAME: Username, PASSWORD, ...more },
});
const tokens = async (...words) => (await begin(...words)).AuthenticationResult;
const answer = ({ ChallengeName, Session }, responses) =>
  [user, 'RespondToAuthChallenge', { ClientId, ChallengeName, Session, ChallengeResponses: { USERNAME: Username, ...responses } }];

await ask(user, 'SignUp', {
  ClientId, Username, Password: password, UserAttributes: [{ Name: 'email', Value: `${Username}@example.test` }],
});
seen.unconfirmed = await refusal(user, 'InitiateAuth', {
  ClientId, AuthFlow: 'USER_PASSWORD_AUTH', AuthParameters: { USERNAME: Username, PASSWORD: password },
});
seen['wrong code'] = await refusal(user, 'ConfirmSignUp', { ClientId, Username, ConfirmationCode: 'none' });
await ask(user, 'ConfirmSignUp', { ClientId, Username, ConfirmationCode: await mailedCode(mails, Username) });

let { AccessToken } = await tokens(password);
await ask(user, 'UpdateUserAttributes', { AccessToken, UserAttributes: [{ Name: 'given_name', Value: 'Änn' }] });
const mine = await ask(user, 'GetUser', { AccessToken });
const attributes = Object.fromEntries(mine.UserAttributes.map(({ Name, Value }) => [Name, Value]));
seen.attributes = { email_verified: attributes.email_verified, given_name: attributes.given_name };
await ask(user, 'DeleteUserAttributes', { AccessToken, UserAttributeNames: ['given_name'] });
seen['not his'] = await refusal(user, 'UpdateUserAttributes', { AccessToken, UserAttributes: [{ Name: 'sub', Value: 'x' }] });

const change = (PreviousPassword, ProposedPassword) => [user, 'ChangePassword', { AccessToken, PreviousPassword, ProposedPassword }];
seen['wrong old password'] = await refusal(...change('not-it', `${password}-2`));
await ask(...change(password, `${password}-2`));
seen['used before'] = await refusal(...change(`${password}-2`, password));

seen.choices = (await ask(user, 'InitiateAuth', { ClientId, AuthFlow: 'USER_AUTH', AuthParameters: { USERNAME: Username } })).AvailableChallenges;
const mailed = await ask(user, 'InitiateAuth', {
  ClientId, AuthFlow: 'USER_AUTH', AuthParameters: { USERNAME: Username, PREFERRED_CHALLENGE: 'EMAIL_OTP' },
});
seen['wrong mailed code'] = await refusal(...answer(mailed, { EMAIL_OTP_CODE: '00000000' }));
const EMAIL_OTP_CODE = await mailedCode(mails, Username, 2, 8);
seen['by mailed code'] = (await ask(...answer(mailed, { EMAIL_OTP_CODE }))).AuthenticationResult.TokenType;

const { SecretCode } = await ask(user, 'AssociateSoftwareToken', { AccessToken });
seen['wrong application code'] = await refusal(user, 'VerifySoftwareToken', { AccessToken, UserCode: '000000' });
await ask(user, 'VerifySoftwareToken', { AccessToken, UserCode: code(SecretCode) });
const prefer = (Enabled) => ask(user, 'SetUserMFAPreference', { AccessToken, SoftwareTokenMfaSettings: { Enabled, PreferredMfa: Enabled } });
await prefer(true);
const asked = await begin(`${password}-2`);
seen.asked = asked.ChallengeName;
seen['wrong answer'] = await refusal(...answer(asked, { SOFTWARE_TOKEN_MFA_CODE: '000000' }));
const answered = await ask(...answer(asked, { SOFTWARE_TOKEN_MFA_CODE: code(SecretCode, 1) }));
({ AccessToken } = answered.AuthenticationResult);
await prefer(false);

seen.reset = (await ask(user, 'ForgotPassword', { ClientId, Username })).CodeDeliveryDetails.Destination;
const confirm = (ConfirmationCode, Password) => [user, 'ConfirmForgotPassword', { ClientId, Username, ConfirmationCode, Password }];
const ConfirmationCode = await mailedCode(mails, Username, 3);
seen['used for a reset'] = await refusal(...confirm(ConfirmationCode, password));
await ask(...confirm(ConfirmationCode, `${password}-3`));

const { RefreshToken } = await tokens(`${password}-3`, {}, rotating);
const refresh = (token, at = rotating) => [user, 'GetTokensFromRefreshToken', { ClientId: at, RefreshToken: token }];
const rotated = (await ask(...refresh(RefreshToken))).AuthenticationResult;
seen.rotated = rotated.RefreshToken !== RefreshToken;
seen['the same again'] = (await ask(...refresh(RefreshToken))).AuthenticationResult.RefreshToken === rotated.RefreshToken;
seen["another client's"] = await refusal(...refresh(rotated.RefreshToken, ClientId));
await ask(user, 'DeleteUser', { AccessToken: rotated.AccessToken });
seen.deleted = await refusal(user, 'InitiateAuth', {
  ClientId, AuthFlow: 'USER_PASSWORD_AUTH', AuthParameters: { USERNAME: Username, PASSWORD: `${password}-3` },
});

// The proof of a device is SRP, which this library has none of; what a device is known by is made by another's.
const first = await ask(user, 'InitiateAuth', { ...devices.begin });
const { DeviceKey, DeviceGroupKey } = first.AuthenticationResult.NewDeviceMetadata;
const own = { AccessToken: first.AuthenticationResult.AccessToken };
const srp = new helper.default(devices.pool.split('_')[1]);
await new Promise((done) => srp.generateHashDevice(DeviceGroupKey, DeviceKey, done));
const base64 = (hex) => Buffer.from(hex, 'hex').toString('base64');
const DeviceSecretVerifierConfig = { Salt: base64(srp.getSaltDevices()), PasswordVerifier: base64(srp.getVerifierDevices()) };
const confirmed = await ask(user, 'ConfirmDevice', { ...own, DeviceKey, DeviceSecretVerifierConfig, DeviceName: 'my phone' });
seen.prompt = confirmed.UserConfirmationNecessary;
await ask(user, 'UpdateDeviceStatus', { ...own, DeviceKey, DeviceRememberedStatus: 'remembered' });
seen.devices = (await ask(user, 'ListDevices', own)).Devices.map((device) => device.DeviceKey === DeviceKey);
const on = (key) => ({ ...devices.begin, AuthParameters: { ...devices.begin.AuthParameters, DEVICE_KEY: key } });
seen['on the device'] = (await ask(user, 'InitiateAuth', on(DeviceKey))).ChallengeName;
const bound = { ClientId: devices.begin.ClientId, RefreshToken: first.AuthenticationResult.RefreshToken };
seen['refreshed elsewhere'] = await refusal(user, 'GetTokensFromRefreshToken', bound);
seen['refreshed on it'] = (await ask(user, 'GetTokensFromRefreshToken', { ...bound, DeviceKey })).AuthenticationResult.TokenType;
await ask(user, 'ForgetDevice', { ...own, DeviceKey });
seen.forgotten = await refusal(user, 'InitiateAuth', on(DeviceKey));

// The library signs this call, by whatever it is given: the secret is what counts.
const anybody = client(endpoint, { accessKeyId: 'anybody', secretAccessKey: 'anything' });
const granted = await ask(anybody, 'GetClientToken', { ClientId: program.ClientId, Secret: program.Secret, Scopes: [program.scope] });
seen.program = granted.ClientAuthenticationResult.TokenType;
seen['wrong secret'] = await refusal(anybody, 'GetClientToken', { ClientId: program.ClientId, Secret: 'x'.repeat(51) });
console.log(JSON.stringify(seen));
