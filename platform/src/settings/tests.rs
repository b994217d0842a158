//! What the settings take, refuse and mean.

use super::*;

#[test]
fn the_defaults_are_an_embedded_house() {
    let settings = Settings::defaults_with(&[]).unwrap();
    assert!(settings.is_embedded());
    assert_eq!(settings.stay_timing(), StayTiming::default());
    assert!(settings.graphiql.is_on(true) && !settings.graphiql.is_on(false));
}

#[test]
fn contradictions_say_what_to_do() {
    let error = Settings::defaults_with(&[("database_url", "postgres://h/d")]).unwrap_err().to_string();
    assert!(error.contains("set both, or neither"), "{error}");
    let error = Settings::defaults_with(&[("http_address", "nowhere")]).unwrap_err().to_string();
    assert!(error.contains("http_address"), "{error}");
    let error = Settings::defaults_with(&[("max_depth", "0")]).unwrap_err().to_string();
    assert!(error.contains("GATEHOUSE_MAX_DEPTH"), "{error}");
    let url = [("database_url", "mysql://h/d"), ("redis_url", "redis://h")];
    assert!(Settings::defaults_with(&url).unwrap_err().to_string().contains("postgres://"));
    for public_url in ["gatehouse.example", "https://me@gatehouse.example", "https://gatehouse.example/?a"] {
        let error = Settings::defaults_with(&[("public_url", public_url)]).unwrap_err().to_string();
        assert!(error.contains("GATEHOUSE_PUBLIC_URL"), "{error}");
    }
    assert!(Settings::defaults_with(&[("public_url", "https://gatehouse.example/doors")]).is_ok());
    for origins in ["*", "desk.example", "https://desk.example/", "https://a.example,https://b.example/x"] {
        let error = Settings::defaults_with(&[("allowed_origins", origins)]).unwrap_err().to_string();
        assert!(error.contains("GATEHOUSE_ALLOWED_ORIGINS"), "{error}");
    }
    let settings = Settings::defaults_with(&[("allowed_origins", "https://a.example, http://b.example:81")]).unwrap();
    assert_eq!(settings.origins(), ["https://a.example", "http://b.example:81"]);
}

#[test]
fn vendors_may_be_on_this_machine_only_in_the_embedded_house_and_elsewhere_if_they_are_named() {
    let admits = |given: &[(&str, &str)], address: &str| {
        Settings::defaults_with(given).unwrap().vendor_addresses().admits(address.parse().unwrap())
    };
    let named = [("allow_private_vendor_addresses", "10.1.0.0/16")];
    assert!(admits(&[], "127.0.0.1") && !admits(&[], "10.1.2.3"));
    let distributed = [("database_url", "postgres://h/d"), ("redis_url", "redis://h")];
    assert!(!admits(&distributed, "127.0.0.1") && admits(&distributed, "93.184.216.34"));
    let told = [distributed.as_slice(), &[("allow_private_vendor_addresses", "loopback")]].concat();
    assert!(admits(&told, "127.0.0.1"));
    assert!(admits(&named, "10.1.2.3") && !admits(&named, "127.0.0.1"));
    assert!(!admits(&[("allow_private_vendor_addresses", "")], "127.0.0.1"));
    let error = Settings::defaults_with(&[("allow_private_vendor_addresses", "here")]).unwrap_err().to_string();
    assert!(error.contains("no block of addresses"), "{error}");
}

#[test]
fn nothing_is_resumed_from_before_what_is_kept() {
    let replay = |given: &[(&str, &str)]| Settings::defaults_with(given).unwrap().replay();
    assert_eq!(replay(&[]), TimeDelta::days(7));
    assert_eq!(replay(&[("events_kept_days", "2")]), TimeDelta::days(2));
    assert_eq!(replay(&[("events_kept_days", "30")]), TimeDelta::days(7));
}

#[test]
fn issuers_are_tables_or_json() {
    let text = r#"[{"url":"https://id.example","audience":"gatehouse","link_by_email":true}]"#;
    let settings = Settings::defaults_with(&[("issuers", text)]).unwrap();
    assert!(settings.issuers[0].link_by_email && settings.issuers[0].organization.is_none());
    assert!(Settings::defaults_with(&[]).unwrap().issuers.is_empty());
    let file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
    std::fs::write(file.path(), "[[issuers]]\nurl = \"https://id.example\"\naudience = \"gatehouse\"\n").unwrap();
    let settings = Settings::load(file.path().to_str()).unwrap();
    assert_eq!(settings.issuers[0].audience, "gatehouse");
    for wrong in [
        "id.example",
        r#"[{"url":"https://id.example"}]"#,
        r#"[{"url":"id.example","audience":"gatehouse"}]"#,
        r#"[{"url":"https://id.example","audience":""}]"#,
        r#"[{"url":"https://id.example","audience":"a","organization":"nonsense"}]"#,
        r#"[{"url":"https://id.example","audience":"a","client_id":""}]"#,
        r#"[{"url":"https://id.example","audience":"a","client_secret":"canary"}]"#,
        r#"[{"url":"https://id.example","audience":"a","client_id":"b","client_secret":4711}]"#,
        r#"[{"url":"https://id.example","audience":"a","client_id":"b","session_minutes":0}]"#,
        r#"[{"url":"https://id.example","audience":"a","client_id":"b","session_minutes":721}]"#,
        r#"[{"url":"https://i.example","audience":"a","client_id":"b"},{"url":"https://i.example","audience":"c","client_id":"d"}]"#,
    ] {
        let error = Settings::defaults_with(&[("issuers", wrong)]).unwrap_err().to_string();
        assert!(!error.contains("canary") && !error.contains("4711"), "{error}");
        assert!(error.to_lowercase().contains("issuers"), "{wrong}: {error}");
    }
    assert!(Settings::defaults_with(&[("client_address_header", "x forwarded")]).is_err());
}

#[test]
fn secrets_are_not_printed() {
    let issuer = r#"[{"url":"https://id.example","audience":"a","client_id":"b","client_secret":"canary"}]"#;
    let given = [("database_url", "postgres://u:canary@h/d"), ("redis_url", "redis://:canary@h"), ("issuers", issuer)];
    let settings = Settings::defaults_with(&given).unwrap();
    assert!(!format!("{settings:?}").contains("canary"));
}
