//! By which methods clients may authenticate at each port, where transports differ in that.
//!
//! Deliberately absent: what a method is like at one port alone; it is a matter of the realm (`auth`).

use super::auth::Auth;
use super::item::Scope;
use super::transport::{Door, Ways};

/// What the doors say together: `None` if all of them let everybody in as anonymous. Where they do not
/// say the same, each endpoint gets the methods of its doors.
pub(super) fn read<'n>(scope: &'n Scope<'n>, ways: &mut Ways<'n>) -> Option<Auth<'n>> {
    let doors = &ways.doors;
    let first = doors.iter().find_map(|door| door.auth.as_ref())?;
    let sets_cookie = doors.iter().any(|door| door.cookie.is_some());
    let mut auth = Auth::new(scope, first.place.clone());
    let mut offered: Vec<Vec<&'static str>> = Vec::new();
    for (at, door) in doors.iter().enumerate() {
        let node = |door: &Door<'n>| door.auth.as_ref().map(|it| it.node);
        let alike = doors[..at].iter().position(|it| node(it) == node(door));
        offered.push(match alike {
            Some(alike) => offered[alike].clone(),
            None => auth.door(door, sets_cookie),
        });
    }
    auth.check_checked_by_procedure();
    if offered.iter().any(|methods| *methods != offered[0]) {
        restrict(scope, ways, &offered);
    }
    Some(auth)
}

/// Gives each endpoint the methods that its doors have offered.
fn restrict(scope: &Scope<'_>, ways: &mut Ways<'_>, offered: &[Vec<&'static str>]) {
    for endpoint in &mut ways.endpoints {
        let mut doors = endpoint.doors.clone();
        let Some(first) = doors.next() else {
            let text =
                "there is no auth here, and that of the other ports differs: who could join?";
            scope.refuse(&endpoint.place, text);
            continue;
        };
        for other in doors.filter(|other| offered[*other] != offered[first]) {
            let door = &ways.doors[other];
            let text = format!(
                "other methods than those of {}: here a port has the same at all its paths",
                ways.doors[first].place.key
            );
            let place = door.auth.as_ref().map_or(&door.place, |it| &it.place);
            scope.refuse(place, text);
        }
        endpoint.methods = Some(offered[first].clone());
    }
}
