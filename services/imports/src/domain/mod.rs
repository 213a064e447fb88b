//! Imports without IO: the statement reader. `recognise` decides over whole columns what a file
//! holds and freezes that in a `Reading`; `rows` reads the file by it. A pure library: no clock, no
//! ids, no IO beyond the given `Source`; the same input gives the same output.
//!
//! In reading order: what is no statement is seen through (`disguise`), bytes become text
//! (`encoding`), text becomes records (`dialect`, `record`), records become a table (`layout`,
//! `header`, `vocabulary`, `shape`, `section`, `edge`), cells become numbers and dates (`number`,
//! `figures`, `date`, `month`, `year`, `stamp`), columns are surveyed (`seen`, `column`, `numbers`,
//! `dates`, `table`), possible meanings of the amount columns (`amount`, `candidate`, `teller`) are
//! tried against the rows (`trial`, `chain`, `identity`, `sign`, `nature`, `fee`) and judged
//! (`bench`, `contender`, `surcharge`, `decision`; of the dates `when`, `custom`, `recurrence`),
//! with reasons (`evidence`), and what stays open is asked (`wording`, `sample`) unless it has been
//! answered before (`answer`, `heading`, `template`). What a person says of the columns comes
//! before all of it (`mapping`). Whose rows they are is found (`ownership`, `pocket`) and led to
//! the user's accounts (`routing`). Rows are then followed by their balance (`gap`) and compared
//! with the ledger (`fingerprint`, `resemblance`), and those that cannot be read are reported
//! (`report`).
//! Before all of it a file may come in pieces (`chunk`).

pub mod answer;
pub mod chunk;
pub mod description;
pub mod edit;
pub mod fingerprint;
pub mod gap;
pub mod heading;
pub mod mapping;
pub mod ownership;
pub mod page;
pub mod question;
pub mod reading;
pub mod report;
pub mod resemblance;
pub mod review;
pub mod routing;
pub mod row;
pub mod status;
pub mod template;

pub mod amount;
pub mod date;
pub mod encoding;
pub mod number;
pub mod record;
pub mod shape;
pub mod stamp;
pub mod when;

mod bench;
mod candidate;
mod cells;
mod chain;
mod column;
mod contender;
mod custom;
mod dates;
mod decision;
mod dialect;
mod disguise;
mod edge;
mod evidence;
mod fee;
mod figures;
mod header;
mod identity;
mod layout;
mod month;
mod nature;
mod numbers;
mod part;
mod pocket;
mod recurrence;
mod sample;
mod section;
mod seen;
mod sign;
mod source;
mod summary;
mod surcharge;
mod table;
mod teller;
mod trial;
mod vocabulary;
mod wording;
mod year;

#[cfg(test)]
mod hinted;
#[cfg(test)]
mod hostility;
#[cfg(test)]
mod interview;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod specimen;
#[cfg(test)]
mod tests;
