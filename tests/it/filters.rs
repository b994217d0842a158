//! Filters of lists: compared with the same choice made by hand from the whole list.

use domain::{
    command::{CommandKind, CommandState},
    device::Health,
    door::{LockState, Mode, Occupancy, Position},
    event::EventType,
};
use gatehouse_tests::{
    client::{Client, text},
    house::Plan,
    on_both_back_ends,
    wait::until,
};
use serde_json::{Value, json};

use crate::pages::{self, add_doors};

/// Ids of a list.
async fn ids(client: &Client, list: &str, arguments: &str) -> Vec<String> {
    pages::whole(client, list, arguments, "id").await.iter().map(|node| text(&node["id"])).collect()
}

/// The whole list with what it may be chosen by.
async fn whole(client: &Client, list: &str, fields: &str) -> Vec<Value> {
    pages::whole(client, list, "", &format!("id {fields}")).await
}

fn chosen(from: &[Value], fits: impl Fn(&Value) -> bool) -> Vec<String> {
    from.iter().filter(|item| fits(item)).map(|item| text(&item["id"])).collect()
}

/// A filter by each word of a vocabulary finds what has that word, and the words share everything between them.
async fn each_word<T: Copy>(
    client: &Client,
    (list, all): (&str, &[Value]),
    words: &[T],
    word: impl Fn(T) -> &'static str,
    argument: impl Fn(&str) -> String,
    value: impl Fn(&Value) -> Value,
) {
    let mut found = 0;
    for one in words {
        let expected = chosen(all, |item| value(item) == word(*one));
        found += expected.len();
        assert_eq!(ids(client, list, &argument(word(*one))).await, expected, "{list} {}", word(*one));
    }
    assert_eq!(found, all.len(), "{list}: each has one word");
}

on_both_back_ends! {
    async fn doors_by_state_and_place(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let client = &house.client;
        let free = |door: &Value| door["state"]["occupancy"]["value"] == "FREE";
        let dock = house.door_where("BIKEEP", "BOOK_DOOR", free).await;
        let locked = house.door_where("BIKEEP", "LOCK_DOOR", |door| free(door) && door["id"] != dock["id"]).await;
        let gate = house.door("PARQEX", "OPEN_DOOR").await;
        let commands = [("bookDoor", &dock), ("lockDoor", &locked), ("openDoor", &gate)];
        for (mutation, door) in commands {
            let id = client.command(mutation, json!({ "doorId": door["id"] })).await;
            assert_eq!(client.finished(&id).await["state"], "SUCCEEDED");
        }
        // Gates go on moving after the answer.
        until("the gate stands open", async || {
            let query = format!("{{ door(id: {}) {{ state {{ position {{ value }} }} }} }}", gate["id"]);
            let data = client.data(&query, json!({})).await;
            (data["door"]["state"]["position"]["value"] == "OPEN").then_some(())
        })
        .await;
        add_doors(&house, ["Never observed", "Never observed either"]).await;
        let doors = house.doors().await;
        let list = ("doors", doors.as_slice());
        let side = |name: &'static str, unheard: &'static str| {
            move |door: &Value| match &door["state"][name] {
                Value::Null => json!(unheard),
                observation => observation["value"].clone(),
            }
        };
        let by = |name: &'static str| move |word: &str| format!(", filter: {{{name}: {word}}}");
        each_word(client, list, LockState::ALL, LockState::as_str, by("lock"), side("lock", "UNKNOWN")).await;
        each_word(client, list, Position::ALL, Position::as_str, by("position"), side("position", "UNKNOWN")).await;
        each_word(client, list, Mode::ALL, Mode::as_str, by("mode"), side("mode", "NORMAL")).await;
        each_word(client, list, Occupancy::ALL, Occupancy::as_str, by("occupancy"), side("occupancy", "UNKNOWN")).await;
        each_word(client, list, Health::ALL, Health::as_str, by("health"), |door| door["device"]["health"].clone()).await;
        for word in ["LOCKED", "UNLOCKED"] {
            assert!(!ids(client, "doors", &by("lock")(word)).await.is_empty(), "{word}");
        }
        assert_eq!(ids(client, "doors", &by("occupancy")("BOOKED")).await, [text(&dock["id"])]);

        for site in whole(client, "sites", "name").await {
            let here = chosen(&doors, |door| door["site"]["id"] == site["id"]);
            assert_eq!(ids(client, "doors", &format!(", filter: {{siteId: {}}}", site["id"])).await, here);
            // Every part counts.
            let both = chosen(&doors, |door| {
                door["site"]["id"] == site["id"] && side("lock", "UNKNOWN")(door) == "LOCKED" && text(&door["name"]).contains("dock")
            });
            let parts = format!(", filter: {{siteId: {}, lock: LOCKED, text: \"DOCK\"}}", site["id"]);
            assert_eq!(ids(client, "doors", &parts).await, both);
            // A site's own lists say the same.
            let query = format!("{{ site(id: {}) {{ doors(first: 100) {{ nodes {{ id }} }} }} }}", site["id"]);
            let data = client.data(&query, json!({})).await;
            assert_eq!(data["site"]["doors"]["nodes"], json!(here.iter().map(|id| json!({ "id": id })).collect::<Vec<_>>()));
        }
        house.stop().await;
    }

    /// Text is text: no wildcard, any case, any alphabet.
    async fn doors_by_text(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        add_doors(&house, ["100 % sure_Tür", "100 x sure-Tur"]).await;
        add_doors(&house, ["ÜBERGANG Łódź ΣΟΦΙΑ Дверь", "back\\slash 'quote' \"double\""]).await;
        add_doors(&house, ["übergang two", "%"]).await;
        let doors = house.doors().await;
        for wanted in [
            "", "dock", "DOCK", "Quay D", "gate", "%", "_", "100 %", "e_T", "e-t", "x", "tür", "TÜR", "übergang", "ÜBERGANG",
            "łódź", "дверь", "ДВЕРЬ", "\\", "k\\s", "'", "\"", "'; DROP TABLE doors; --", "no such door", " ", "%%", "%_", "*", "?",
        ] {
            let expected = chosen(&doors, |door| text(&door["name"]).to_lowercase().contains(&wanted.to_lowercase()));
            assert_eq!(ids(&house.client, "doors", &format!(", filter: {{text: {}}}", json!(wanted))).await, expected, "{wanted:?}");
        }
        assert_eq!(ids(&house.client, "doors", ", filter: {text: \"%\"}").await.len(), 2);
        assert_eq!(ids(&house.client, "doors", ", filter: {text: \"übergang\"}").await.len(), 2);
        house.stop().await;
    }

    async fn devices_commands_and_events(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let client = &house.client;
        let doors = house.doors().await;
        // Some of each kind that end well, one that fails, and one device-wide.
        let gate = house.door("PARQEX", "CLOSE_DOOR").await;
        let dock = house.door_where("BIKEEP", "LOCK_DOOR", |door| door["state"]["occupancy"]["value"] == "FREE").await;
        let mut sent = Vec::new();
        for (mutation, input) in [
            ("openDoor", json!({ "doorId": gate["id"] })),
            ("closeDoor", json!({ "doorId": gate["id"] })),
            ("lockDoor", json!({ "doorId": dock["id"] })),
            ("unlockDoor", json!({ "doorId": dock["id"] })),
            ("syncDevice", json!({ "deviceId": dock["device"]["id"] })),
        ] {
            let id = client.command(mutation, input).await;
            client.finished(&id).await;
            sent.push(id);
        }
        let refusal = simulator::FaultKind::CommandError { reason: "jammed".to_owned() };
        house.vendors.add_fault(simulator::Fault::new(simulator::Vendor::Bikeep, refusal)).unwrap();
        let failed = client.command("lockDoor", json!({ "doorId": dock["id"] })).await;
        client.finished(&failed).await;
        house.vendors.clear_faults();

        let devices = whole(client, "devices", "health site { id }").await;
        each_word(client, ("devices", &devices), Health::ALL, Health::as_str, |word| format!(", health: {word}"), |device| {
            device["health"].clone()
        })
        .await;

        let commands = whole(client, "commands", "kind state door { id } device { id vendorAccount { id } } site { id }").await;
        assert_eq!(commands.len(), 6);
        let placed = whole(client, "devices", "site { id } vendorAccount { id }").await;
        for account in whole(client, "vendorAccounts", "vendor").await {
            let id = &account["id"];
            let ours = chosen(&commands, |command| command["device"]["vendorAccount"]["id"] == *id);
            assert_eq!(ids(client, "commands", &format!(", filter: {{vendorAccountId: {id}}}")).await, ours, "{account}");
            assert_eq!(ours.is_empty(), !["PARQEX", "BIKEEP"].contains(&account["vendor"].as_str().unwrap()), "{account}");
            let ours = chosen(&placed, |device| device["vendorAccount"]["id"] == *id);
            assert_eq!(ids(client, "devices", &format!(", vendorAccountId: {id}")).await, ours, "{account}");
            assert_eq!(ours.is_empty(), account["vendor"] == "MEWS", "{account}");
            let here = chosen(&placed, |device| device["vendorAccount"]["id"] == *id && device["site"] == placed[0]["site"]);
            let both = format!(", vendorAccountId: {id}, siteId: {}", placed[0]["site"]["id"]);
            assert_eq!(ids(client, "devices", &both).await, here, "{account}");
        }
        let list = ("commands", commands.as_slice());
        let by = |name: &'static str| move |word: &str| format!(", filter: {{{name}: {word}}}");
        each_word(client, list, CommandKind::ALL, CommandKind::as_str, by("kind"), |command| command["kind"].clone()).await;
        each_word(client, list, CommandState::ALL, CommandState::as_str, by("state"), |command| command["state"].clone()).await;

        let events = whole(client, "events", "type door { id } device { id } site { id } command { id }").await;
        each_word(client, ("events", &events), EventType::ALL, EventType::as_str, |word| format!(", filter: {{types: [{word}]}}"), |event| {
            event["type"].clone()
        })
        .await;
        let two = chosen(&events, |event| event["type"] == "DEVICE_FOUND" || event["type"] == "COMMAND_FINISHED");
        assert_eq!(ids(client, "events", ", filter: {types: [DEVICE_FOUND, COMMAND_FINISHED]}").await, two);
        assert_eq!(ids(client, "events", ", filter: {types: []}").await.len(), events.len());

        for (list, all) in [("commands", &commands), ("events", &events)] {
            for door in [&gate, &dock, &doors[0]] {
                let expected = chosen(all, |item| item["door"]["id"] == door["id"]);
                assert_eq!(ids(client, list, &format!(", filter: {{doorId: {}}}", door["id"])).await, expected);
                let expected = chosen(all, |item| item["device"]["id"] == door["device"]["id"]);
                assert_eq!(ids(client, list, &format!(", filter: {{deviceId: {}}}", door["device"]["id"])).await, expected);
                let expected = chosen(all, |item| item["site"]["id"] == door["site"]["id"]);
                assert_eq!(ids(client, list, &format!(", filter: {{siteId: {}}}", door["site"]["id"])).await, expected);
            }
        }
        for id in &sent {
            let expected = chosen(&events, |event| event["command"]["id"] == *id);
            assert_eq!(expected.len(), 2, "asked for and finished: {id}");
            assert_eq!(ids(client, "events", &format!(", filter: {{commandId: \"{id}\"}}")).await, expected);
        }
        house.stop().await;
    }

    /// A filter by what the caller does not see, or by what is no id.
    async fn filters_by_unknown_things(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        let absent = domain::ids::DoorId(house.foundation().ids.next_uuid()).to_string();
        for list in ["commands", "events"] {
            assert!(ids(&house.client, list, &format!(", filter: {{doorId: \"{absent}\"}}")).await.is_empty());
        }
        for query in [
            "{ doors(filter: {siteId: \"nonsense\"}) { nodes { id } } }".to_owned(),
            format!("{{ doors(filter: {{siteId: \"{absent}\"}}) {{ nodes {{ id }} }} }}"),
            "{ devices(siteId: \"site_0\") { nodes { id } } }".to_owned(),
            "{ commands(filter: {doorId: \"\"}) { nodes { id } } }".to_owned(),
            format!("{{ commands(filter: {{vendorAccountId: \"{absent}\"}}) {{ nodes {{ id }} }} }}"),
            "{ devices(vendorAccountId: \"nonsense\") { nodes { id } } }".to_owned(),
            "{ events(filter: {commandId: \"cmd_\"}) { nodes { id } } }".to_owned(),
            format!("{{ doors(filter: {{text: \"{}\"}}) {{ nodes {{ id }} }} }}", "x".repeat(201)),
        ] {
            let answer = house.client.ask(&query, json!({})).await;
            assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{query} {answer:#}");
            assert!(answer["data"].as_object().unwrap().values().all(Value::is_null), "{query} {answer:#}");
        }
        // Nothing is called by a text with a NUL: PostgreSQL keeps none.
        for (list, name) in [
            ("doors", "text"), ("users", "text"), ("accessLevels", "text"), ("credentials", "number"), ("reservations", "number"),
            ("records", "text"), ("records", "externalId"), ("apiKeys", "madeBy"),
        ] {
            let of = if name == "madeBy" { "ID" } else { "String" };
            let query = format!("query($text: {of}) {{ {list}(filter: {{{name}: $text}}) {{ nodes {{ id }} }} }}");
            let answer = house.client.ask(&query, json!({ "text": "a\0b" })).await;
            assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{query} {answer:#}");
            assert!(answer["data"].is_null(), "{query} {answer:#}");
            house.client.data(&query, json!({ "text": "a b" })).await;
        }
        house.stop().await;
    }
}
