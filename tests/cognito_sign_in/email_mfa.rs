//! Mailed codes as second factor, the choice among factors, and what the other APIs say of a factor that is owed.

use cognate::pool::NewUser;
use cognate::pool::settings::{MfaMode, MfaRules};
use serde_json::{Value, json};

use super::{EXPIRED, NO_SESSION, USED, WRONG_CODE, call, mailed, refused, respond, result, sign_in};
use crate::app::{Answer, PASSWORD, TestApp, story};

const CHALLENGE: &str = "EMAIL_OTP";
const DONE: (u16, &str) = (200, "{}");

async fn with_mail(app: &TestApp, mode: MfaMode, software_token: bool) {
    let rules = MfaRules { mode, software_token, email: true, sms: false };
    app.change_pool(|pool| pool.mfa = rules).await;
}

/// A user who wants codes by mail.
async fn wanting(app: &TestApp, name: &str) -> String {
    app.user(name).await;
    let token = result(&sign_in(app, name, PASSWORD).await, "AccessToken");
    let prefer = json!({ "AccessToken": token, "EmailMfaSettings": { "Enabled": true, "PreferredMfa": true } });
    assert_eq!(call(app, "SetUserMFAPreference", prefer).await.whole(), DONE);
    token
}

async fn answer(app: &TestApp, session: &str, code: &str) -> Answer {
    respond(app, CHALLENGE, Some(session), json!({ "USERNAME": "alice", "EMAIL_OTP_CODE": code })).await
}

/// A session and the code that was mailed for it.
async fn asked(app: &TestApp) -> (String, String) {
    let asked = sign_in(app, "alice", PASSWORD).await;
    assert_eq!(asked.field("ChallengeName"), CHALLENGE);
    (asked.field("Session"), mailed(app, 6).await)
}

fn other_than(code: &str) -> &'static str {
    if code == "123456" { "654321" } else { "123456" }
}

story!(who_wants_to_is_mailed_a_code);
async fn who_wants_to_is_mailed_a_code(app: TestApp) {
    with_mail(&app, MfaMode::Optional, false).await;
    let token = wanting(&app, "alice").await;
    let user = call(&app, "GetUser", json!({ "AccessToken": token })).await.json();
    assert_eq!(user["UserMFASettingList"], json!(["EMAIL_OTP"]));
    assert_eq!(user["PreferredMfaSetting"], "EMAIL_OTP");
    let asked = sign_in(&app, "alice", PASSWORD).await;
    let session = asked.field("Session");
    let whole = format!(
        r#"{{"ChallengeName":"EMAIL_OTP","Session":"{session}","ChallengeParameters":{{"CODE_DELIVERY_DELIVERY_MEDIUM":"EMAIL","CODE_DELIVERY_DESTINATION":"a***@e***"}}}}"#
    );
    assert_eq!(asked.whole(), (200, whole.as_str()));
    let code = mailed(&app, 6).await;
    assert_eq!(refused(&answer(&app, &session, other_than(&code)).await), WRONG_CODE, "the session stays");
    let tokens = answer(&app, &session, &code).await;
    assert!(app.accepts(&result(&tokens, "AccessToken")).await);
    assert_eq!(refused(&answer(&app, &session, &code).await), USED);
    let off = json!({ "AccessToken": token, "EmailMfaSettings": { "Enabled": false } });
    assert_eq!(call(&app, "SetUserMFAPreference", off).await.whole(), DONE);
    assert!(sign_in(&app, "alice", PASSWORD).await.json()["AuthenticationResult"].is_object());
}

// K10, S21
story!(a_code_is_of_its_session_its_step_and_its_time);
async fn a_code_is_of_its_session_its_step_and_its_time(app: TestApp) {
    with_mail(&app, MfaMode::Optional, false).await;
    wanting(&app, "alice").await;
    let (first, of_first) = asked(&app).await;
    let (second, of_second) = asked(&app).await;
    if of_first != of_second {
        assert_eq!(refused(&answer(&app, &first, &of_second).await), WRONG_CODE);
    }
    let responses = json!({ "USERNAME": "alice", "EMAIL_OTP_CODE": of_first, "SMS_MFA_CODE": of_first,
        "SMS_OTP_CODE": of_first, "SOFTWARE_TOKEN_MFA_CODE": of_first, "ANSWER": "EMAIL_OTP", "NEW_PASSWORD": PASSWORD,
        "PASSWORD": PASSWORD });
    for other in [
        "SMS_MFA",
        "SMS_OTP",
        "SOFTWARE_TOKEN_MFA",
        "SELECT_MFA_TYPE",
        "MFA_SETUP",
        "SELECT_CHALLENGE",
        "PASSWORD",
        "NEW_PASSWORD_REQUIRED",
    ] {
        assert_eq!(refused(&respond(&app, other, Some(&first), responses.clone()).await), NO_SESSION, "{other}");
    }
    app.user("bob").await;
    let of_bob = json!({ "USERNAME": "bob", "EMAIL_OTP_CODE": of_first });
    assert_eq!(refused(&respond(&app, CHALLENGE, Some(&first), of_bob).await), NO_SESSION);
    assert_eq!(answer(&app, &first, &of_first).await.status, 200);
    app.clock.advance_seconds(900);
    assert_eq!(refused(&answer(&app, &second, &of_second).await), EXPIRED);
    assert_eq!(refused(&answer(&app, &second[1..], &of_second).await), NO_SESSION);
}

// S23: the mailbox that a code went to must still be his, and the password the same.
story!(a_mailed_code_is_worth_nothing_once_what_it_stands_on_is_gone);
async fn a_mailed_code_is_worth_nothing_once_what_it_stands_on_is_gone(app: TestApp) {
    with_mail(&app, MfaMode::Optional, false).await;
    wanting(&app, "alice").await;
    let (session, code) = asked(&app).await;
    let moved = [("email".to_owned(), "new@example.test".to_owned()), ("email_verified".to_owned(), "true".to_owned())];
    app.pool().update_attributes("alice", &moved).await.unwrap();
    assert_eq!(refused(&answer(&app, &session, &code).await), WRONG_CODE);
    let (session, code) = asked(&app).await;
    app.pool().set_password("alice", PASSWORD, false).await.unwrap();
    assert_eq!(refused(&answer(&app, &session, &code).await), NO_SESSION);
    let (session, code) = asked(&app).await;
    app.pool().disable_user("alice").await.unwrap();
    assert_eq!(refused(&answer(&app, &session, &code).await), "NotAuthorizedException: User is disabled.");
    // A change of address does not turn the factor off: the new one is proven first.
    app.pool().enable_user("alice").await.unwrap();
    app.pool().update_attributes("alice", &moved[..1]).await.unwrap();
    let unproven = [("email".to_owned(), "other@example.test".to_owned())];
    app.pool().update_attributes("alice", &unproven).await.unwrap();
    let setup = sign_in(&app, "alice", PASSWORD).await;
    assert_eq!(setup.json()["ChallengeParameters"]["MFAS_CAN_SETUP"], r#"["EMAIL_OTP"]"#);
    let session = setup.field("Session");
    let none = "SoftwareTokenMFANotFoundException: Software Token MFA is not enabled by the userPool";
    assert_eq!(refused(&call(&app, "AssociateSoftwareToken", json!({ "Session": session })).await), none);
    let set_up = async |email: &str| {
        respond(&app, "MFA_SETUP", Some(&session), json!({ "USERNAME": "alice", "EMAIL": email })).await
    };
    let words = "InvalidParameterException: The user has another email address.";
    assert_eq!(refused(&set_up("thief@example.test").await), words);
    assert_eq!(set_up("other@example.test").await.field("ChallengeName"), CHALLENGE);
}

// K12: one count for all factors of a user, and the right password does not clear it.
story!(wrong_mailed_codes_lock);
async fn wrong_mailed_codes_lock(app: TestApp) {
    with_mail(&app, MfaMode::Optional, false).await;
    wanting(&app, "alice").await;
    let (session, code) = asked(&app).await;
    for _ in 0..4 {
        assert_eq!(refused(&answer(&app, &session, other_than(&code)).await), WRONG_CODE);
    }
    let (again, code) = asked(&app).await;
    assert_eq!(refused(&answer(&app, &again, other_than(&code)).await), WRONG_CODE);
    let locked = "NotAuthorizedException: Password attempts exceeded";
    assert_eq!(refused(&answer(&app, &again, &code).await), locked);
    app.clock.advance_seconds(2);
    assert_eq!(answer(&app, &again, &code).await.status, 200);
    // A code takes so many wrong answers and no more.
    let (session, code) = asked(&app).await;
    for _ in 0..5 {
        assert_eq!(refused(&answer(&app, &session, other_than(&code)).await), WRONG_CODE);
        app.clock.advance_seconds(60);
    }
    assert_eq!(refused(&answer(&app, &session, &code).await), USED);
}

story!(mails_with_codes_are_throttled_until_one_comes_back);
async fn mails_with_codes_are_throttled_until_one_comes_back(app: TestApp) {
    with_mail(&app, MfaMode::Optional, false).await;
    wanting(&app, "alice").await;
    for _ in 0..5 {
        asked(&app).await;
    }
    let words = "LimitExceededException: Attempt limit exceeded, please try after some time.";
    assert_eq!(refused(&sign_in(&app, "alice", PASSWORD).await), words);
    app.clock.advance_seconds(60);
    let (session, code) = asked(&app).await;
    assert_eq!(answer(&app, &session, &code).await.status, 200);
    for _ in 0..5 {
        asked(&app).await;
    }
}

story!(among_several_factors_the_user_chooses);
async fn among_several_factors_the_user_chooses(app: TestApp) {
    with_mail(&app, MfaMode::Optional, true).await;
    let secret = super::mfa::with_application(&app, "alice").await;
    let asked = sign_in(&app, "alice", PASSWORD).await;
    assert_eq!(asked.field("ChallengeName"), "SOFTWARE_TOKEN_MFA");
    let code = super::mfa::code(&app, &secret, 0);
    let responses = json!({ "USERNAME": "alice", "SOFTWARE_TOKEN_MFA_CODE": code });
    let tokens = respond(&app, "SOFTWARE_TOKEN_MFA", Some(&asked.field("Session")), responses).await;
    let token = result(&tokens, "AccessToken");
    let prefer = async |settings: Value| {
        let mut body = json!({ "AccessToken": token });
        body.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        call(&app, "SetUserMFAPreference", body).await
    };
    let both = json!({ "Enabled": true, "PreferredMfa": true });
    let words = "InvalidParameterException: Only one factor can be preferred.";
    let two = json!({ "EmailMfaSettings": both, "SoftwareTokenMfaSettings": both });
    assert_eq!(refused(&prefer(two).await), words);
    let either = json!({ "Enabled": true });
    let none = json!({ "EmailMfaSettings": either, "SoftwareTokenMfaSettings": either });
    assert_eq!(prefer(none).await.whole(), DONE);

    let asked = sign_in(&app, "alice", PASSWORD).await;
    let session = asked.field("Session");
    let whole = format!(
        r#"{{"ChallengeName":"SELECT_MFA_TYPE","Session":"{session}","ChallengeParameters":{{"MFAS_CAN_CHOOSE":"[\"SOFTWARE_TOKEN_MFA\",\"EMAIL_OTP\"]","USER_ID_FOR_SRP":"alice"}}}}"#
    );
    assert_eq!(asked.whole(), (200, whole.as_str()));
    let choose = async |session: &str, what: &str| {
        respond(&app, "SELECT_MFA_TYPE", Some(session), json!({ "USERNAME": "alice", "ANSWER": what })).await
    };
    let words = "InvalidParameterException: The answer is none of the factors that can be chosen.";
    for what in ["SMS_MFA", "WEB_AUTHN", "x"] {
        assert_eq!(refused(&choose(&session, what).await), words);
    }
    let chosen = choose(&session, "EMAIL_OTP").await;
    assert_eq!(chosen.field("ChallengeName"), CHALLENGE);
    assert_eq!(refused(&choose(&session, "EMAIL_OTP").await), USED);
    let code = mailed(&app, 6).await;
    assert_eq!(answer(&app, &chosen.field("Session"), &code).await.status, 200);
    // The model's own word for it.
    let session = sign_in(&app, "alice", PASSWORD).await.field("Session");
    assert_eq!(choose(&session, "EMAIL_MFA").await.field("ChallengeName"), CHALLENGE);
    let session = sign_in(&app, "alice", PASSWORD).await.field("Session");
    assert_eq!(choose(&session, "SOFTWARE_TOKEN_MFA").await.field("ChallengeName"), "SOFTWARE_TOKEN_MFA");
    assert_eq!(prefer(json!({ "EmailMfaSettings": both })).await.whole(), DONE);
    assert_eq!(sign_in(&app, "alice", PASSWORD).await.field("ChallengeName"), CHALLENGE);
    // An administrator takes the application away; what is left is asked.
    let body = json!({ "UserPoolId": app.pool().id(), "Username": "alice" });
    assert_eq!(app.cognito_admin("AdminDeleteSoftwareToken", body.clone()).await.whole(), DONE);
    let seen = app.cognito_admin("AdminGetUser", body).await.json();
    assert_eq!(
        (&seen["UserMFASettingList"], &seen["PreferredMfaSetting"]),
        (&json!(["EMAIL_OTP"]), &json!("EMAIL_OTP"))
    );
}

// K10
story!(a_pool_that_needs_a_factor_takes_a_new_address_for_one);
async fn a_pool_that_needs_a_factor_takes_a_new_address_for_one(app: TestApp) {
    with_mail(&app, MfaMode::On, true).await;
    app.pool().create_user(NewUser::new("alice", PASSWORD)).await.unwrap();
    let setup = sign_in(&app, "alice", PASSWORD).await;
    let session = setup.field("Session");
    let whole = format!(
        r#"{{"ChallengeName":"MFA_SETUP","Session":"{session}","ChallengeParameters":{{"MFAS_CAN_SETUP":"[\"SOFTWARE_TOKEN_MFA\",\"EMAIL_OTP\"]","USER_ID_FOR_SRP":"alice"}}}}"#
    );
    assert_eq!(setup.whole(), (200, whole.as_str()));
    let set_up = async |session: &str, email: &str| {
        respond(&app, "MFA_SETUP", Some(session), json!({ "USERNAME": "alice", "EMAIL": email })).await
    };
    let words = "InvalidParameterException: Invalid email address format.";
    assert_eq!(refused(&set_up(&session, "no address").await), words);
    let asked = set_up(&session, "alice@example.test").await;
    assert_eq!(asked.field("ChallengeName"), CHALLENGE);
    assert_eq!(asked.json()["ChallengeParameters"]["CODE_DELIVERY_DESTINATION"], "a***@e***");
    assert_eq!(refused(&set_up(&session, "alice@example.test").await), USED);
    assert!(!app.pool().find_user("alice").await.unwrap().email_verified);
    let code = mailed(&app, 6).await;
    let second = asked.field("Session");
    assert_eq!(refused(&answer(&app, &second, other_than(&code)).await), WRONG_CODE);
    assert!(app.accepts(&result(&answer(&app, &second, &code).await, "AccessToken")).await);
    assert!(app.pool().find_user("alice@example.test").await.unwrap().email_verified);
    // Whoever has an address that is proven needs nothing set up.
    assert_eq!(sign_in(&app, "alice", PASSWORD).await.field("ChallengeName"), CHALLENGE);
    app.user("bob").await;
    assert_eq!(sign_in(&app, "bob", PASSWORD).await.field("ChallengeName"), CHALLENGE);
    // What somebody else has proven is not taken from him.
    app.pool().create_user(NewUser::new("carol", PASSWORD)).await.unwrap();
    app.mails().await;
    let session = sign_in(&app, "carol", PASSWORD).await.field("Session");
    let asked = respond(&app, "MFA_SETUP", Some(&session), json!({ "USERNAME": "carol", "EMAIL": "bob@example.test" }));
    let session = asked.await.field("Session");
    let responses = json!({ "USERNAME": "carol", "EMAIL_OTP_CODE": mailed(&app, 6).await });
    let taken = "AliasExistsException: An account with the email already exists.";
    assert_eq!(refused(&respond(&app, CHALLENGE, Some(&session), responses).await), taken);
}

story!(what_can_not_be_asked_for_is_refused_by_name);
async fn what_can_not_be_asked_for_is_refused_by_name(app: TestApp) {
    app.user("alice").await;
    app.pool().create_user(NewUser::new("bob", PASSWORD)).await.unwrap();
    let prefer = async |name: &str, settings: &str| {
        let token = result(&sign_in(&app, name, PASSWORD).await, "AccessToken");
        let body = json!({ "AccessToken": token, settings: { "Enabled": true } });
        refused(&call(&app, "SetUserMFAPreference", body).await)
    };
    let invalid = |words: &str| format!("InvalidParameterException: {words}");
    let off = prefer("alice", "EmailMfaSettings").await;
    assert_eq!(off, invalid("The user pool has no second factor by email."));
    with_mail(&app, MfaMode::Optional, false).await;
    let words = invalid("User does not have delivery config set to turn on EMAIL_OTP");
    assert_eq!(prefer("bob", "EmailMfaSettings").await, words);
    assert_eq!(prefer("bob", "SMSMfaSettings").await, invalid("The user pool has no second factor by SMS."));
    assert_eq!(prefer("bob", "WebAuthnMfaSettings").await, invalid("Passkeys are not available on this server."));
    let token = result(&sign_in(&app, "bob", PASSWORD).await, "AccessToken");
    let option = |medium: &str| json!([{ "DeliveryMedium": medium, "AttributeName": "phone_number" }]);
    let settings = async |options: Value| {
        call(&app, "SetUserSettings", json!({ "AccessToken": token, "MFAOptions": options })).await
    };
    assert_eq!(refused(&settings(option("SMS")).await), invalid("The user pool has no second factor by SMS."));
    let words = invalid("Only the delivery medium SMS and the attribute phone_number can be set.");
    assert_eq!(refused(&settings(option("EMAIL")).await), words);
    assert_eq!(settings(json!([])).await.whole(), DONE);
    let body = json!({ "UserPoolId": app.pool().id(), "Username": "bob", "MFAOptions": [] });
    assert_eq!(app.cognito_admin("AdminSetUserSettings", body).await.whole(), DONE);
}

story!(a_pools_factors_are_set_and_described);
async fn a_pools_factors_are_set_and_described(app: TestApp) {
    let id = app.pool().id().to_owned();
    let set = async |rest: Value| {
        let mut body = json!({ "UserPoolId": id });
        body.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        app.cognito_admin("SetUserPoolMfaConfig", body).await
    };
    let words = json!({ "Subject": "Your code", "Message": "It is {####}" });
    let answer = set(json!({ "MfaConfiguration": "OPTIONAL", "EmailMfaConfiguration": words })).await;
    let whole =
        r#"{"EmailMfaConfiguration":{"Message":"It is {####}","Subject":"Your code"},"MfaConfiguration":"OPTIONAL"}"#;
    assert_eq!(answer.whole(), (200, whole));
    let get = async || app.cognito_admin("GetUserPoolMfaConfig", json!({ "UserPoolId": id })).await;
    assert_eq!(get().await.whole(), (200, whole));
    let passkeys = set(json!({ "WebAuthnConfiguration": { "RelyingPartyId": "example.test" } })).await;
    let refusal = "InvalidParameterException: WebAuthnConfiguration is not available on this server.";
    assert_eq!(refused(&passkeys), refusal);
    let none = r#"{"MfaConfiguration":"OFF"}"#;
    assert_eq!(set(json!({})).await.whole(), (200, none));
    assert_eq!(get().await.whole(), (200, none));
}

story!(a_code_that_signs_in_is_mailed_in_the_pools_words);
async fn a_code_that_signs_in_is_mailed_in_the_pools_words(app: TestApp) {
    with_mail(&app, MfaMode::Optional, false).await;
    wanting(&app, "alice").await;
    let words = json!({ "Subject": "Your code", "Message": "It is ({####})" });
    let body = json!({ "UserPoolId": app.pool().id(), "MfaConfiguration": "OPTIONAL", "EmailMfaConfiguration": words });
    assert_eq!(app.cognito_admin("SetUserPoolMfaConfig", body).await.status, 200);
    app.reload().await;
    let session = sign_in(&app, "alice", PASSWORD).await.field("Session");
    let mail = app.mail().await;
    assert!(mail.contains("Subject: Your code\r\n") && mail.contains("text/html"), "{mail}");
    let (_, rest) = mail.split_once("It is (").unwrap();
    assert_eq!(answer(&app, &session, rest.split_once(')').unwrap().0).await.status, 200);
}

// They say so in their own words, and no code is sent in vain.
story!(an_api_without_words_for_a_second_factor_says_so);
async fn an_api_without_words_for_a_second_factor_says_so(app: TestApp) {
    with_mail(&app, MfaMode::Optional, false).await;
    wanting(&app, "alice").await;
    let words = "A second factor is required, which this API can not ask for.";
    let native = format!(r#"{{"status":401,"message":"{words}"}}"#);
    assert_eq!(app.login("alice", PASSWORD).await.whole(), (401, native.as_str()));
    assert_eq!(app.login("alice", "not the password").await.status, 401);
    let pm415 = app.post("/api/account/login", json!({ "email": "alice@example.test", "password": PASSWORD })).await;
    let whole = format!(r#"{{"statusCode":403,"error":"Forbidden","message":"{words}","success":false}}"#);
    assert_eq!(pm415.whole(), (403, whole.as_str()));
    let astera = app.post("/api/account/login", json!({ "user": "alice", "password": PASSWORD })).await;
    assert_eq!((astera.status, astera.json()["detail"].clone()), (403, json!(words)));
    let secret = app.pool().replace_client_secret("alice").await.unwrap();
    let id = app.pool().public_id(&app.pool().find_user("alice").await.unwrap()).to_string();
    let own = [("client_id", id.as_str()), ("client_secret", &secret.text)];
    let password = [("grant_type", "password"), ("username", "alice"), ("password", PASSWORD)];
    for grant in [&password[..], &[("grant_type", "client_credentials")]] {
        let token = app.request(app.to("POST", "/oauth/token").form(&[&own, grant].concat())).await;
        let whole = format!(r#"{{"error":"invalid_grant","error_description":"{words}"}}"#);
        assert_eq!(token.whole(), (400, whole.as_str()));
    }
    assert!(app.mails().await.is_empty());
}

// Whoever has the mailbox alone must not have both factors (as at Amazon).
story!(a_mailbox_that_is_a_second_factor_resets_no_password);
async fn a_mailbox_that_is_a_second_factor_resets_no_password(app: TestApp) {
    with_mail(&app, MfaMode::Optional, false).await;
    app.user("alice").await;
    let client = app.client().id;
    let forgot = json!({ "ClientId": client, "Username": "alice" });
    // A code that was mailed before dies with it, too.
    assert_eq!(call(&app, "ForgotPassword", forgot.clone()).await.status, 200);
    let code = mailed(&app, 6).await;
    let token = result(&sign_in(&app, "alice", PASSWORD).await, "AccessToken");
    let prefer = json!({ "AccessToken": token, "EmailMfaSettings": { "Enabled": true } });
    assert_eq!(call(&app, "SetUserMFAPreference", prefer).await.whole(), DONE);
    let late = json!({
        "ClientId": client, "Username": "alice", "ConfirmationCode": code, "Password": "another-long-password"
    });
    let words = "CodeMismatchException: Invalid verification code provided, please try again.";
    assert_eq!(refused(&call(&app, "ConfirmForgotPassword", late).await), words);
    assert_eq!(call(&app, "ForgotPassword", forgot.clone()).await.status, 200);
    assert!(app.mails().await.is_empty(), "answered like nobody, and nothing is sent");
    app.change_client(|client| client.hide_user_existence = Some(false)).await;
    let words = "InvalidParameterException: Cannot reset password for the user as there is no registered/verified \
                 email or phone_number";
    assert_eq!(refused(&call(&app, "ForgotPassword", forgot.clone()).await), words);
    let body = json!({ "UserPoolId": app.pool().id(), "Username": "alice" });
    assert_eq!(refused(&app.cognito_admin("AdminResetUserPassword", body).await), words);
    assert_eq!(sign_in(&app, "alice", PASSWORD).await.field("ChallengeName"), CHALLENGE);
}
