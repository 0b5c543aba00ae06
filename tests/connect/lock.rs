//! The lock at the destination.

use dtsctl::connect::{GlobalLock, Taken};
use testbed::{Flavor, Role, have, shared};

use super::{login_as, open, root};

fn mine(taken: Taken) -> GlobalLock {
    match taken {
        Taken::Mine(lock) => lock,
        Taken::Held(holder) => panic!("held by {holder}"),
    }
}

#[test]
fn two_runs_at_once_and_one_after_the_other() {
    for flavor in Flavor::ALL {
        if !have(flavor) {
            continue;
        }
        let server = shared(flavor, Role::Destination);
        let login = root(server);
        let mut first = mine(GlobalLock::take(&login, "lock-two").unwrap());
        assert!(first.is_still_held().unwrap());
        let Taken::Held(holder) = GlobalLock::take(&login, "lock-two").unwrap() else { panic!("two at once") };
        assert!(holder.to_string().starts_with("root from "), "{holder}");
        drop(mine(GlobalLock::take(&login, "lock-two-other").unwrap()));

        // An account that may not see other connections is told less, and refused all the same.
        server.exec("DROP USER IF EXISTS lock_poor@'%';\nCREATE USER lock_poor@'%' IDENTIFIED BY 'pw';").unwrap();
        let Taken::Held(poor) = GlobalLock::take(&login_as(server, "lock_poor", "pw"), "lock-two").unwrap() else { panic!("two at once") };
        assert_eq!((poor.connection, poor.who), (holder.connection, None));

        drop(first);
        drop(mine(GlobalLock::take(&login, "lock-two").unwrap()));
    }
}

#[test]
fn a_lost_session_loses_the_lock_and_it_can_be_had_again() {
    for flavor in Flavor::ALL {
        if !have(flavor) {
            continue;
        }
        let server = shared(flavor, Role::Destination);
        let login = root(server);
        let mut lock = mine(GlobalLock::take(&login, "lock-lost").unwrap());
        let Taken::Held(holder) = GlobalLock::take(&login, "lock-lost").unwrap() else { panic!("two at once") };
        open(&login).unwrap().exec("killing", &format!("KILL {}", holder.connection)).unwrap();
        let error = lock.is_still_held().unwrap_err();
        assert!(error.is_connection(), "{flavor}: {error:?}");
        assert_eq!(lock.take_again(&login, "lock-lost").unwrap(), None);
        assert!(lock.is_still_held().unwrap());
    }
}
