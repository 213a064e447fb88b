//! The parts of an object one by one, by whoever knows the upload: for uploads that outlive the
//! process that began them.

use aws_sdk_s3::{
    error::{ProvideErrorMetadata, SdkError},
    operation::upload_part::{UploadPartOutput, builders::UploadPartFluentBuilder},
    primitives::ByteStream,
    types::{CompletedMultipartUpload, CompletedPart},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;

use super::{Error, Objects, PARTS_MAX, classify};

/// A part that is stored, as the store must be told of it to make an object of its parts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    /// Its place in the object, from 1.
    pub number: i32,
    /// The store's word for its content.
    pub etag: String,
    /// Its checksum, of which the store wants to be reminded.
    pub checksum: Option<Checksum>,
}

/// What a store has verified a part with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Checksum {
    /// Of a part that was held whole: as the store wrote it.
    Crc32(String),
    /// Of a part that came as a flow: as its sender announced it.
    Sha256(Vec<u8>),
}

impl Objects {
    /// Stores one part of an upload that was begun, in the place of the part of that number. All
    /// parts but the last have at least 5 MiB.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the store does not know the upload: it is complete, or given up.
    pub async fn put_part(
        &self,
        key: &str,
        multipart_id: &str,
        number: i32,
        bytes: Bytes,
    ) -> Result<Part, Error> {
        let request = self.part(key, multipart_id, number)?;
        let sent = request.body(ByteStream::from(bytes)).send().await;
        let mut sent = sent.map_err(|error| of_upload(error, key))?;
        let checksum = sent.checksum_crc32.take().map(Checksum::Crc32);
        stored(number, sent, checksum)
    }

    /// The request for a part, without its bytes.
    pub(super) fn part(
        &self,
        key: &str,
        multipart_id: &str,
        number: i32,
    ) -> Result<UploadPartFluentBuilder, Error> {
        if !(1..=PARTS_MAX).contains(&number) {
            let problem = format!("a part {number}, of 1 to {PARTS_MAX}");
            return Err(Error::Internal(problem.into()));
        }
        let request = self.client.upload_part();
        Ok(request
            .bucket(&self.bucket)
            .key(key)
            .upload_id(multipart_id)
            .part_number(number))
    }

    /// Makes an object of the parts of an upload, which are in order and all there.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the store does not know the upload: it is complete already, and
    /// then the object is there, or given up. After [`Error::Unavailable`] the object may exist.
    pub async fn complete(
        &self,
        key: &str,
        multipart_id: &str,
        parts: impl IntoIterator<Item = Part>,
    ) -> Result<(), Error> {
        let parts = parts.into_iter().map(|part| {
            let told = CompletedPart::builder()
                .part_number(part.number)
                .e_tag(part.etag);
            match part.checksum {
                Some(Checksum::Crc32(crc32)) => told.checksum_crc32(crc32).build(),
                Some(Checksum::Sha256(hash)) => told.checksum_sha256(base64(&hash)).build(),
                None => told.build(),
            }
        });
        let parts = CompletedMultipartUpload::builder()
            .set_parts(Some(parts.collect()))
            .build();
        self.client
            .complete_multipart_upload()
            .bucket(&self.bucket)
            .key(key)
            .upload_id(multipart_id)
            .multipart_upload(parts)
            .send()
            .await
            .map(drop)
            .map_err(|error| of_upload(error, key))
    }

    /// Whether there is an object under this key.
    ///
    /// # Errors
    /// As the store answers.
    pub async fn exists(&self, key: &str) -> Result<bool, Error> {
        let head = self
            .client
            .head_object()
            .bucket(&self.bucket)
            .key(key)
            .send()
            .await;
        match head.map_err(|error| classify(error, Some(key))) {
            Ok(_) => Ok(true),
            Err(Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// A part as the store says that it has it.
pub(super) fn stored(
    number: i32,
    sent: UploadPartOutput,
    checksum: Option<Checksum>,
) -> Result<Part, Error> {
    let etag = sent
        .e_tag
        .ok_or_else(|| Error::Internal("the store gave no etag for a part".into()))?;
    Ok(Part {
        number,
        etag,
        checksum,
    })
}

/// A hash as S3 has it.
pub(super) fn base64(hash: &[u8]) -> String {
    STANDARD.encode(hash)
}

/// Sorts an answer about an upload, whose absence is an answer of its own.
///
/// s3s-fs, the embedded store, calls an upload that is unknown denied. Wrong credentials have other
/// codes; a policy that denies only this is worth a line.
pub(super) fn of_upload<E>(error: SdkError<E>, key: &str) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let code = error
        .as_service_error()
        .and_then(ProvideErrorMetadata::code);
    if code == Some("AccessDenied") {
        tracing::warn!("the object store denies an upload: taken as unknown");
        return Error::NotFound {
            key: key.to_owned(),
        };
    }
    classify(error, Some(key))
}
