//! What is in force at one moment is replaced as a whole: whoever is judged while people and rules change together is
//! judged by the old of both or by the new of both.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use http::StatusCode;
use tokio::sync::mpsc;
use wayleave::facts::Act;

use crate::harness::World;

/// In one version of the policies zoe works in the first department and may go where that works; in the next version
/// both say the second. In either she may go there, and in a mixture of them she may not.
const DEPARTMENTS: [&str; 2] = ["hr", "engineering"];

fn person(department: &str) -> String {
    format!(
        r#"[[person]]
id = "zoe"
name = "Zoe Laurent"
roles = ["recruiter"]
department = "{department}"
employment = "employee"
region = "eu-west"
time-zone = "Europe/Paris"
"#
    )
}

fn rule(department: &str) -> String {
    format!(
        r#"@id("test.desk") @title("One desk") @reason("Zoe goes where her department goes.") @owner("IT")
forbid (principal == User::"zoe", action == Action::"connect", resource)
when {{ resource.host == "www.example.org" }}
unless {{ principal in Department::"{department}" }};
"#
    )
}

/// A world whose policies are a link to the first version, and the folder of each version.
async fn a_world_of_two_versions() -> (World, [PathBuf; 2]) {
    let mut versions = [PathBuf::new(), PathBuf::new()];
    let world = World::planned(|plan| {
        crate::harness::add_account(&plan.settings, "zoe");
        let policies = plan.folder.join("policies");
        versions = DEPARTMENTS.map(|department| {
            let version = plan.folder.join(department);
            crate::harness::copy(&policies, &version);
            std::fs::write(version.join("people/zoe.toml"), person(department)).unwrap();
            std::fs::write(version.join("rules/90-test.cedar"), rule(department)).unwrap();
            version
        });
        std::fs::rename(&policies, plan.folder.join("shipped")).unwrap();
        symlink(&versions[0], &policies).unwrap();
    })
    .await;
    (world, versions)
}

/// Leads the link to another version, at once.
fn switch_to(world: &World, version: &PathBuf) {
    let next = world.policies().with_file_name("next");
    symlink(version, &next).unwrap();
    std::fs::rename(next, world.policies()).unwrap();
}

/// Whoever wakes it waits until zoe's request has been answered: what is replaced after the change was told is not
/// there yet.
struct AsksWhenWoken {
    zoe: crate::harness::client::Client,
    answers: mpsc::UnboundedSender<String>,
}

impl Wake for AsksWhenWoken {
    fn wake(self: Arc<Self>) {
        let proof = self.zoe.authorization.as_deref().unwrap();
        let mut stream = std::net::TcpStream::connect(self.zoe.proxy).unwrap();
        let request = format!(
            "GET http://www.example.org/ HTTP/1.1\r\nHost: www.example.org\r\nProxy-Authorization: {proof}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        self.answers.send(answer).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn when_a_change_is_told_people_and_rules_have_both_changed() {
    let (world, versions) = a_world_of_two_versions().await;
    let zoe = world.client("zoe");
    assert_eq!(zoe.get("http://www.example.org/").await.status, StatusCode::OK);
    let (answers, mut answered) = mpsc::unbounded_channel();
    let asks = Waker::from(Arc::new(AsksWhenWoken { zoe, answers }));
    let mut changes = world.gate().live().changes();
    for version in [&versions[1], &versions[0]] {
        changes.borrow_and_update();
        let mut changed = pin!(changes.changed());
        assert!(changed.as_mut().poll(&mut Context::from_waker(&asks)).is_pending());
        switch_to(&world, version);
        world.sends(1);
        let answer = answered.recv().await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_decision_mixes_the_people_of_one_moment_with_the_rules_of_another() {
    let (world, versions) = a_world_of_two_versions().await;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let askers: Vec<_> = (0..2)
        .map(|_| {
            let (zoe, stopped) = (world.client("zoe"), stopped.clone());
            tokio::spawn(async move {
                while !*stopped.borrow() {
                    assert_eq!(zoe.get("http://www.example.org/").await.status, StatusCode::OK);
                }
            })
        })
        .collect();
    let mut in_force = vec![world.gate().live().load().rulebook.id().clone()];
    let mut changes = world.gate().live().changes();
    for version in versions.iter().cycle().skip(1).take(4) {
        switch_to(&world, version);
        changes.changed().await.unwrap();
        in_force.push(world.gate().live().load().rulebook.id().clone());
    }
    stop.send_replace(true);
    for asker in askers {
        asker.await.unwrap();
    }
    assert_ne!(in_force[0], in_force[1]);
    let judged = world.close().await.into_iter().filter_map(|record| match record.act {
        Act::Closing {
            seen,
            decided: Some(decided),
            ..
        } => Some((seen.person.clone().unwrap(), decided.rulebook)),
        _ => None,
    });
    let mut under = [0, 0];
    for (person, rulebook) in judged {
        let version = in_force.iter().position(|id| *id == rulebook).unwrap() % 2;
        assert!(
            person.departments.contains(DEPARTMENTS[version]),
            "{person:?} under {rulebook}"
        );
        under[version] += 1;
    }
    assert!(under.iter().all(|decisions| *decisions > 0), "{under:?}");
}
