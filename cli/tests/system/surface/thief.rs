//! Somebody who knows another's ids, at one door.

use prost_reflect::Value;
use tonic::{Code, transport::Channel};
use uuid::Uuid;

use super::{
    call::{Answer, call},
    contract::{Method, Spot},
    message::{Import, encoded, right},
    person::Person,
    rules::FILTERS,
};

/// Whether a method reads this place. A resource that is sent with an update carries ids that are
/// only ever told: the update is of the one that bears the resource's own name.
pub(crate) fn is_asked(method: &Method, spot: &Spot) -> bool {
    let path = spot.path();
    match path.rsplit_once('.') {
        None => true,
        Some((resource, field)) => {
            method.descriptor.is_client_streaming() || field == format!("{resource}_id")
        }
    }
}

/// A thief at a door.
pub(crate) struct Attempt<'a> {
    pub(crate) channel: &'a Channel,
    pub(crate) method: &'a Method,
    pub(crate) owner: &'a Person,
    pub(crate) thief: &'a Person,
}

impl Attempt<'_> {
    async fn send(&self, replaced: &[(Spot, String)]) -> Answer {
        let mut asked = right(self.method, self.thief, Import::Settled);
        for (spot, text) in replaced {
            spot.set(&mut asked[0], Value::String(text.clone()));
        }
        let answer = call(
            self.channel,
            self.method,
            Some(&self.thief.token),
            encoded(&asked),
        );
        let texts: Vec<String> = replaced.iter().map(|(_, text)| text.clone()).collect();
        answer.await.without(&texts)
    }

    /// One place, with all else right and the thief's own.
    pub(crate) async fn one(&self, spot: &Spot) -> Result<(), String> {
        let name = spot.field().name();
        let unknown = self
            .send(&[(spot.clone(), Uuid::new_v4().to_string())])
            .await;
        for foreign in self.owner.stands_for(self.method, name) {
            let answer = self.send(&[(spot.clone(), foreign)]).await;
            if answer.tells_of(self.owner.all_ids()) {
                return Err(format!("it tells of another's things: {answer:?}"));
            }
            if name == "page_token" {
                // It stands for a place, not for rows: from there on the thief sees their own.
                if !matches!(answer.code, Code::Ok | Code::InvalidArgument) {
                    return Err(format!("{answer:?}"));
                }
                continue;
            }
            let filter = FILTERS.contains(&(self.method.name(), name));
            let same = match (name, answer.code) {
                // Whose request it was must not show; what is new each time may differ.
                ("request_id", Code::Ok) => unknown.code == Code::Ok,
                _ => answer == unknown,
            };
            let right = match answer.code {
                Code::NotFound => true,
                Code::Ok => filter || name == "request_id",
                Code::FailedPrecondition => name == "request_id",
                _ => false,
            };
            if !same || !right {
                return Err(format!("{answer:?}, and for an unknown one {unknown:?}"));
            }
        }
        Ok(())
    }

    /// Every id at once.
    pub(crate) async fn all(&self) -> Result<(), String> {
        let spots = self.method.spots().into_iter();
        let spots: Vec<Spot> = spots
            .filter(|spot| spot.stands_for_something() && is_asked(self.method, spot))
            .filter(|spot| !matches!(spot.field().name(), "request_id" | "page_token"))
            .collect();
        if spots.is_empty() {
            return Ok(());
        }
        let foreign = spots.iter().map(|spot| {
            let ids = self.owner.stands_for(self.method, spot.field().name());
            (spot.clone(), ids[0].clone())
        });
        let foreign: Vec<_> = foreign.collect();
        let unknown = spots
            .iter()
            .map(|spot| (spot.clone(), Uuid::new_v4().to_string()));
        let unknown: Vec<_> = unknown.collect();
        let (answer, other) = (self.send(&foreign).await, self.send(&unknown).await);
        if answer != other || answer.code != Code::NotFound {
            return Err(format!("{answer:?}, and for unknown ones {other:?}"));
        }
        Ok(())
    }
}
