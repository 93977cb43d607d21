//! Features without which a call cannot be made: its caller must have announced them, or it breaks
//! the protocol; its callee must have them, too, or the call is refused.
//!
//! Where the specification leaves a choice: among the callees that share a registration, those
//! without the features are passed over.

use wampy_proto::message::CallOptions;
use wampy_proto::{Feature, FeatureSet, Role, error_uri};

use crate::realm::Violation;
use crate::refusal::Refusal;
use crate::session::Session;

/// The features that a call needs, of its caller and its callee.
#[inline]
pub(super) fn of(options: &CallOptions) -> FeatureSet {
    let mut needed = FeatureSet::EMPTY;
    if options.progress {
        needed.insert(Feature::ProgressiveCallInvocations);
    }
    if options.is_passed_through() {
        needed.insert(Feature::PayloadPassthruMode);
    }
    needed
}

/// Checks that a caller has announced what its call needs.
pub(super) fn check_announced(caller: &Session, needed: FeatureSet) -> Result<(), Violation> {
    let announced = caller.details.roles.get(Role::Caller).unwrap_or_default();
    let Some(missing) = needed.without(announced).iter().next() else {
        return Ok(());
    };
    let (option, missing) = (option_of(missing), missing.as_str());
    Err(Violation::new(format!(
        "CALL has {option}, but the caller did not announce {missing}"
    )))
}

/// Whether a callee has the features. Who takes calls in parts must also take INTERRUPT, so that it
/// can be told when no more parts come.
pub(super) fn has(callee: &Session, mut needed: FeatureSet) -> bool {
    let announced = callee.details.roles.get(Role::Callee).unwrap_or_default();
    if needed.contains(Feature::ProgressiveCallInvocations) {
        needed.insert(Feature::CallCanceling);
    }
    needed.without(announced).is_empty()
}

/// Why a call is refused of which no callee has the features.
pub(super) fn refusal(needed: FeatureSet) -> Refusal {
    let options: Vec<_> = needed.iter().map(option_of).collect();
    let options = options.join(" and ");
    Refusal::explained(
        error_uri::FEATURE_NOT_SUPPORTED,
        format!("the call has {options}, which its callee does not support"),
    )
}

/// The option by which a call says that it needs a feature.
fn option_of(feature: Feature) -> &'static str {
    match feature {
        Feature::ProgressiveCallInvocations => "progress",
        Feature::PayloadPassthruMode => "ppt_scheme",
        other => other.as_str(),
    }
}
