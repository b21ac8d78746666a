//! An answer as it came: the SDK's types leave out whatever is newer than they are.

use std::sync::{Arc, Mutex};

use aws_sdk_ecs::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_ecs::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_ecs::error::BoxError;
use serde_json::Value as Json;

/// Keeps the body of the last answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Body(Arc<Mutex<Vec<u8>>>);

impl Body {
    /// The answer as JSON; null if there was none.
    pub(crate) fn json(&self) -> Json {
        let bytes = self.0.lock().map(|bytes| bytes.clone()).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }
}

impl Intercept for Body {
    fn name(&self) -> &'static str {
        "shipspec-body"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let (Some(bytes), Ok(mut kept)) = (context.response().body().bytes(), self.0.lock()) {
            *kept = bytes.to_vec();
        }
        Ok(())
    }
}
