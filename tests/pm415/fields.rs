//! What is wrong with a body, in the words and the order of the original's validation.

use serde_json::{Value, json};

use super::{EMAIL, NEW, ORGANIZATION, bad_request, registration, whole, with, without};
use crate::app::{PASSWORD, TestApp, story};

/// An operation, a body that it takes, and its fields in the order they are judged in: name, label, whether it must
/// be there.
type Form = (&'static str, Value, &'static [(&'static str, &'static str, bool)]);

fn forms() -> [Form; 4] {
    let login = json!({ "email": EMAIL, "password": PASSWORD, "token": "x" });
    let change = json!({ "token": "x", "password": NEW, "confirmation": NEW });
    [
        ("login", login, &[("email", "Email", true), ("password", "Password", true), ("token", "token", false)]),
        ("forgotpassword", json!({ "email": EMAIL }), &[("email", "Email", true)]),
        (
            "register",
            with(registration(EMAIL, ORGANIZATION), "token", json!("x")),
            &[
                ("email", "Email", true),
                ("password", "Password", true),
                ("firstName", "First Name", true),
                ("lastName", "Last Name", true),
                ("confirmation", "Confirmation", true),
                ("organization", "Organization", false),
                ("token", "token", false),
            ],
        ),
        (
            "changepassword",
            change,
            &[("token", "token", true), ("password", "Password", true), ("confirmation", "Confirmation", true)],
        ),
    ]
}

story!(every_field_is_judged_by_its_label);
async fn every_field_is_judged_by_its_label(app: TestApp) {
    for (operation, body, fields) in forms() {
        for (name, label, required) in fields {
            let send = async |body: Value| whole(&app.pm415(operation, body).await);
            if *required {
                let missing = bad_request(&format!("\"{label}\" is required"));
                assert_eq!(send(without(body.clone(), name)).await, missing, "{operation} {name}");
            }
            let empty = bad_request(&format!("\"{label}\" is not allowed to be empty"));
            assert_eq!(send(with(body.clone(), name, json!(""))).await, empty, "{operation} {name}");
            let typed = bad_request(&format!("\"{label}\" must be a string"));
            // D10
            for value in [json!(null), json!(1), json!(true), json!([]), json!(["x"]), json!({ "$ne": "" })] {
                let answer = send(with(body.clone(), name, value.clone())).await;
                assert_eq!(answer, typed, "{operation} {name} {value}");
            }
            let nul = send(with(body.clone(), name, json!("a\0b"))).await;
            assert_eq!(nul, bad_request(&format!("\"{label}\" must not contain NUL")), "{operation} {name}");
        }
    }
}

story!(only_the_first_fault_is_named_and_an_unknown_field_last);
async fn only_the_first_fault_is_named_and_an_unknown_field_last(app: TestApp) {
    for (operation, mut body, fields) in forms() {
        body["rememberMe"] = json!(true);
        body["zzz"] = json!(null);
        let answer = app.pm415(operation, body.clone()).await;
        assert_eq!(whole(&answer), bad_request(r#""rememberMe" is not allowed"#), "{operation}");
        let mut named = Vec::new();
        // From the last field to the first, each is wrong as well.
        for (name, label, _) in fields.iter().rev() {
            body[name] = json!(1);
            let answer = app.pm415(operation, body.clone()).await;
            assert_eq!(whole(&answer), bad_request(&format!("\"{label}\" must be a string")), "{operation}");
            named.push(label);
        }
        assert_eq!(named.len(), fields.len());
    }
    let nothing = app.pm415("login", json!({})).await;
    assert_eq!(
        nothing.whole(),
        (400, r#"{"statusCode":400,"error":"Bad Request","message":"\"Email\" is required","success":false}"#)
    );
}

story!(an_address_must_look_like_one_where_mail_is_sent);
async fn an_address_must_look_like_one_where_mail_is_sent(app: TestApp) {
    let invalid = bad_request(r#""Email" must be a valid email"#);
    for email in ["ada", "ada@", "@example.test", "ada@example.test\n", "Ada <ada@example.test>", "a b@example.test"] {
        let forgot = app.pm415("forgotpassword", json!({ "email": email })).await;
        assert_eq!(whole(&forgot), invalid, "{email:?}");
        let register = app.pm415("register", registration(email, ORGANIZATION)).await;
        assert_eq!(whole(&register), invalid, "{email:?}");
    }
}

story!(a_password_is_confirmed_and_long_enough);
async fn a_password_is_confirmed_and_long_enough(app: TestApp) {
    let change = json!({ "token": "x", "password": NEW, "confirmation": NEW });
    for (operation, body) in [("register", registration(EMAIL, ORGANIZATION)), ("changepassword", change)] {
        for confirmation in ["another", "x", "ANOTHER LONG PASSWORD"] {
            let answer = app.pm415(operation, with(body.clone(), "confirmation", json!(confirmation))).await;
            assert_eq!(whole(&answer), bad_request(r#""Confirmation" must match password"#), "{operation}");
        }
        for short in ["abc", "ada1", "1234567", "é234567"] {
            let answer = app.pm415(operation, with(body.clone(), "password", json!(short))).await;
            let message = r#""Password" length must be at least 8 characters long"#;
            assert_eq!(whole(&answer), bad_request(message), "{operation} {short}");
        }
    }
}

story!(the_terms_must_be_accepted);
async fn the_terms_must_be_accepted(app: TestApp) {
    let body = registration(EMAIL, ORGANIZATION);
    let absent = app.pm415("register", without(body.clone(), "tosAccepted")).await;
    assert_eq!(whole(&absent), bad_request(r#""Terms of Service" is required"#));
    for refused in [json!(false), json!("false")] {
        let answer = app.pm415("register", with(body.clone(), "tosAccepted", refused)).await;
        assert_eq!(whole(&answer), bad_request(r#""Terms of Service" must be accepted"#));
    }
    for odd in [json!("N"), json!("y"), json!(""), json!(1), json!(null), json!([true])] {
        let answer = app.pm415("register", with(body.clone(), "tosAccepted", odd)).await;
        assert_eq!(whole(&answer), bad_request(r#""Terms of Service" must be a boolean"#));
    }
}

// D14
story!(a_field_given_twice_is_refused);
async fn a_field_given_twice_is_refused(app: TestApp) {
    app.registered(EMAIL, ORGANIZATION).await;
    let twice = bad_request(r#""Email" must be a string"#);
    let json = format!(r#"{{"email":"eve@example.test","password":"{PASSWORD}","email":"{EMAIL}"}}"#);
    let request = || app.to("POST", "/api/account/login");
    for request in [
        request().header("content-type", "application/json").body(json),
        request().form(&[("email", "eve@example.test"), ("email", EMAIL), ("password", PASSWORD)]),
    ] {
        assert_eq!(whole(&app.request(request).await), twice);
    }
}

// D10, D15, D16
story!(what_is_no_object_of_fields_is_refused_in_the_same_shape);
async fn what_is_no_object_of_fields_is_refused_in_the_same_shape(app: TestApp) {
    let send = async |content_type: &str, body: &[u8]| {
        let request = app.to("POST", "/api/account/login").header("content-type", content_type);
        let answer = app.request(request.body(body.to_vec())).await;
        assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
        whole(&answer)
    };
    let json = "application/json";
    let deep = format!(r#"{{"email":{}"#, "[".repeat(30_000));
    for body in ["{", "nope", "{]", "{} {}", r#"{"email":"\ud800"}"#, "\u{feff}{}", &deep] {
        assert_eq!(send(json, body.as_bytes()).await, bad_request("The body is not valid JSON."), "{body:.20}");
    }
    for body in ["null", "[]", "1", "\"email\"", "[{}]"] {
        let message = "The body must be an object of JSON fields.";
        assert_eq!(send(json, body.as_bytes()).await, bad_request(message), "{body}");
    }
    let required = bad_request(r#""Email" is required"#);
    assert_eq!(send(json, b"").await, required);
    assert_eq!(send("application/x-www-form-urlencoded", b"").await, required);
    let typed = bad_request("The content type must be application/json or application/x-www-form-urlencoded.");
    for content_type in ["text/plain", "application/xml", "multipart/form-data; boundary=x"] {
        assert_eq!(send(content_type, b"{}").await, typed, "{content_type}");
    }
    let query = format!("/api/account/login?email={EMAIL}&password=x");
    assert_eq!(whole(&app.pm415(query.trim_start_matches("/api/account/"), json!({})).await), required);
}
