//! The object store: whatever speaks S3. Objects are written in parts and read as streams, so that
//! no file is ever held whole.

use std::time::Duration;

use aws_sdk_s3::{
    Client,
    config::{BehaviorVersion, Credentials, Region, retry::RetryConfig, timeout::TimeoutConfig},
    error::{ProvideErrorMetadata, SdkError},
    primitives::ByteStream,
    types::ChecksumAlgorithm,
};
use aws_smithy_http_client::tls;
use bytes::{Bytes, BytesMut};
use secrecy::{ExposeSecret, SecretString};
use tokio::io::AsyncRead;
use url::Url;

pub use self::{
    flow::{PartFlow, PartSink, SinkClosed, flow},
    part::{Checksum, Part},
};
use crate::fault::{Fault, Kind};

mod flow;
mod part;
mod piece;

/// The size of a part but the last, in bytes: the least that S3 takes, since it is held in memory.
const PART_BYTES: usize = 5 * 1024 * 1024;

/// The most parts that S3 takes; with ours an object ends at 48 GiB.
const PARTS_MAX: i32 = 10_000;

/// How long one attempt may take until its answer begins.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long all attempts of a call may take together.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(60);

/// The first attempt and two more; the caller's own retry comes on top.
const ATTEMPTS_MAX: u32 = 3;

/// What S3, MinIO and Garage call bytes that are not those of the checksum in front of them. They
/// were when they left, so they suffered on the way, and another try helps. S3 itself means a
/// header that is no checksum by the last one, which ours never is.
const DAMAGED: [&str; 3] = ["BadDigest", "XAmzContentChecksumMismatch", "InvalidDigest"];

/// Where objects are kept.
#[derive(clap::Args, Clone, Debug)]
// Every section is called Config; clap wants the groups of one command apart.
#[group(id = "objects")]
pub struct Config {
    /// The store's address, as `http://127.0.0.1:3900`.
    #[arg(
        id = "s3_endpoint",
        long = "s3-endpoint",
        env = "DJINN_S3_ENDPOINT",
        value_name = "URL"
    )]
    pub endpoint: Url,
    /// The region that requests are signed for.
    #[arg(
        id = "s3_region",
        long = "s3-region",
        env = "DJINN_S3_REGION",
        value_name = "NAME",
        default_value = "garage"
    )]
    pub region: String,
    /// The bucket, which exists already.
    #[arg(
        id = "s3_bucket",
        long = "s3-bucket",
        env = "DJINN_S3_BUCKET",
        value_name = "NAME",
        default_value = "djinn"
    )]
    pub bucket: String,
    /// The public half of the credentials.
    #[arg(
        id = "s3_access_key_id",
        long = "s3-access-key-id",
        env = "DJINN_S3_ACCESS_KEY_ID",
        value_name = "ID"
    )]
    pub access_key_id: String,
    /// The secret half of the credentials.
    #[arg(
        id = "s3_secret_access_key",
        long = "s3-secret-access-key",
        env = "DJINN_S3_SECRET_ACCESS_KEY",
        value_name = "SECRET",
        hide_env_values = true
    )]
    pub secret_access_key: SecretString,
}

/// A bucket; cheap to clone.
#[derive(Clone, Debug)]
pub struct Objects {
    client: Client,
    bucket: String,
}

/// What can go wrong with the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no object under this key.
    #[error("there is no such object")]
    NotFound {
        /// The key that was asked for.
        key: String,
    },
    /// The store cannot be reached, or is overloaded.
    #[error("the object store is unavailable")]
    Unavailable(#[source] Source),
    /// The store refused: credentials, bucket or request are wrong.
    #[error("the object store refused a request")]
    Internal(#[source] Source),
}

/// What the store's client said.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

impl Objects {
    /// Prepares the client; the first use connects.
    #[must_use]
    pub fn connect(config: &Config) -> Self {
        let credentials = Credentials::new(
            &config.access_key_id,
            config.secret_access_key.expose_secret(),
            None,
            None,
            "djinn configuration",
        );
        let http = aws_smithy_http_client::Builder::new()
            .tls_provider(tls::Provider::Rustls(
                tls::rustls_provider::CryptoMode::Ring,
            ))
            .build_https();
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .operation_timeout(OPERATION_TIMEOUT)
            .build();
        let sdk = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(config.endpoint.as_str())
            .region(Region::new(config.region.clone()))
            .credentials_provider(credentials)
            // Buckets as host names need a DNS that a small server does not have.
            .force_path_style(true)
            .http_client(piece::CutClient(http))
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS_MAX))
            .timeout_config(timeouts)
            .build();
        Self {
            client: Client::from_conf(sdk),
            bucket: config.bucket.clone(),
        }
    }

    /// Asks whether the bucket is there and ours.
    ///
    /// # Errors
    /// [`Error::Unavailable`] without an answer, [`Error::Internal`] for a wrong one.
    pub async fn ping(&self) -> Result<(), Error> {
        let head = self.client.head_bucket().bucket(&self.bucket).send().await;
        head.map(drop).map_err(|error| classify(error, None))
    }

    /// Begins to write an object in parts. Nothing is visible under the key before
    /// [`Parts::finish`]; what is not finished must be aborted, or its parts stay for ever.
    ///
    /// # Errors
    /// [`Error::Unavailable`] or [`Error::Internal`].
    pub async fn begin(&self, key: &str) -> Result<Parts, Error> {
        Ok(Parts {
            objects: self.clone(),
            key: key.to_owned(),
            // What the client sends with each part that it holds.
            id: self.create(key, ChecksumAlgorithm::Crc32).await?,
            // Pages that no byte reaches cost nothing, and one that grows is held twice.
            buffer: BytesMut::with_capacity(PART_BYTES),
            completed: Vec::new(),
        })
    }

    /// Begins to write an object in parts of which each comes by [`Objects::put_flow`]. Gives the
    /// store's name for the upload.
    ///
    /// # Errors
    /// [`Error::Unavailable`] or [`Error::Internal`].
    pub async fn begin_flows(&self, key: &str) -> Result<String, Error> {
        self.create(key, ChecksumAlgorithm::Sha256).await
    }

    /// A store that is not told of the checksums of parts keeps none of them, and Garage then
    /// refuses to be reminded of them at the end.
    async fn create(&self, key: &str, checksums: ChecksumAlgorithm) -> Result<String, Error> {
        let created = self
            .client
            .create_multipart_upload()
            .bucket(&self.bucket)
            .key(key)
            .checksum_algorithm(checksums)
            .send()
            .await
            .map_err(|error| classify(error, None))?;
        let id = created.upload_id;
        id.ok_or_else(|| Error::Internal("the store gave no id for a multipart upload".into()))
    }

    /// Gives up an upload that a crash left behind. One that is unknown is given up already.
    ///
    /// # Errors
    /// [`Error::Unavailable`] or [`Error::Internal`].
    pub async fn abort(&self, key: &str, multipart_id: &str) -> Result<(), Error> {
        let aborted = self
            .client
            .abort_multipart_upload()
            .bucket(&self.bucket)
            .key(key)
            .upload_id(multipart_id)
            .send()
            .await;
        match aborted.map_err(|error| part::of_upload(error, key)) {
            Ok(_) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Opens an object for reading from its beginning to its end.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is none; reading fails with an `io::Error` of its own.
    pub async fn open(
        &self,
        key: &str,
    ) -> Result<impl AsyncRead + Send + Unpin + 'static + use<>, Error> {
        let object = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .send()
            .await
            .map_err(|error| classify(error, Some(key)))?;
        Ok(object.body.into_async_read())
    }

    /// Deletes an object. One that is unknown is deleted already.
    ///
    /// # Errors
    /// [`Error::Unavailable`] or [`Error::Internal`].
    pub async fn delete(&self, key: &str) -> Result<(), Error> {
        let deleted = self
            .client
            .delete_object()
            .bucket(&self.bucket)
            .key(key)
            .send()
            .await;
        match deleted.map_err(|error| classify(error, Some(key))) {
            Ok(_) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// An object that is being written: a multipart upload of which one part, of 5 MiB, is held at a
/// time.
#[derive(Debug)]
pub struct Parts {
    objects: Objects,
    key: String,
    id: String,
    buffer: BytesMut,
    completed: Vec<Part>,
}

impl Parts {
    /// The store's name for this upload: what [`Objects::abort`] needs after a crash.
    #[must_use]
    pub fn multipart_id(&self) -> &str {
        &self.id
    }

    /// Appends to the object. Sends a part whenever one is full, so this waits for the store.
    ///
    /// # Errors
    /// As the store answers; the upload can only be aborted then.
    pub async fn write(&mut self, mut chunk: Bytes) -> Result<(), Error> {
        while !chunk.is_empty() {
            let room = PART_BYTES.saturating_sub(self.buffer.len());
            self.buffer
                .extend_from_slice(&chunk.split_to(room.min(chunk.len())));
            if self.buffer.len() == PART_BYTES {
                self.send().await?;
            }
        }
        Ok(())
    }

    /// Sends what is left and makes the object visible under its key, whole.
    ///
    /// # Errors
    /// As the store answers. After [`Error::Unavailable`] the object may exist.
    pub async fn finish(mut self) -> Result<(), Error> {
        if !self.buffer.is_empty() {
            self.send().await?;
        }
        if self.completed.is_empty() {
            return self.finish_empty().await;
        }
        self.objects
            .complete(&self.key, &self.id, self.completed)
            .await
    }

    /// Gives the upload up.
    ///
    /// # Errors
    /// As the store answers.
    pub async fn abort(self) -> Result<(), Error> {
        self.objects.abort(&self.key, &self.id).await
    }

    /// S3 has no upload of no parts, so an empty object is put.
    async fn finish_empty(self) -> Result<(), Error> {
        let objects = &self.objects;
        objects
            .client
            .put_object()
            .bucket(&objects.bucket)
            .key(&self.key)
            .body(ByteStream::from_static(b""))
            .send()
            .await
            .map_err(|error| classify(error, None))?;
        self.abort().await
    }

    async fn send(&mut self) -> Result<(), Error> {
        let number = i32::try_from(self.completed.len()).unwrap_or(i32::MAX);
        let number = number.saturating_add(1);
        let part = std::mem::replace(&mut self.buffer, BytesMut::with_capacity(PART_BYTES));
        let part = part.freeze();
        let completed = self
            .objects
            .put_part(&self.key, &self.id, number, part)
            .await?;
        self.completed.push(completed);
        Ok(())
    }
}

/// Sorts an answer of the store; a key says that its absence is an answer of its own.
fn classify<E>(error: SdkError<E>, key: Option<&str>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let Some(response) = error.raw_response() else {
        // No answer at all, or none that could be read; a request that could not be built is ours.
        return match error {
            SdkError::ConstructionFailure(_) => Error::Internal(Box::new(error)),
            _ => Error::Unavailable(Box::new(error)),
        };
    };
    let status = response.status().as_u16();
    let code = error
        .as_service_error()
        .and_then(ProvideErrorMetadata::code);
    let missing = matches!(code, Some("NoSuchKey" | "NoSuchUpload" | "NotFound"));
    match (key, code) {
        (_, Some("NoSuchBucket")) => Error::Internal(Box::new(error)),
        (Some(key), _) if missing || status == 404 => Error::NotFound {
            key: key.to_owned(),
        },
        (_, Some("SlowDown" | "RequestTimeout")) => Error::Unavailable(Box::new(error)),
        (_, Some(code)) if DAMAGED.contains(&code) => Error::Unavailable(Box::new(error)),
        _ if status >= 500 || status == 429 => Error::Unavailable(Box::new(error)),
        _ => Error::Internal(Box::new(error)),
    }
}

impl Fault for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound { .. } => Kind::NotFound,
            Self::Unavailable(_) => Kind::Unavailable,
            Self::Internal(_) => Kind::Internal,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "OBJECT_NOT_FOUND",
            Self::Unavailable(_) => "OBJECT_STORE_UNAVAILABLE",
            Self::Internal(_) => "OBJECT_STORE_REFUSED",
        }
    }
}

#[cfg(test)]
mod tests;
