//! Files that carry something inside another file: the scanner unpacks what we do not, and what is
//! too much for it is a finding.

use super::{eicar, is_refused_and_gone};
use crate::world::World;

/// A ZIP of one deflated CSV, of which one row is the test file. In hexadecimal, or scanners would
/// find this repository.
const ZIP: &str = "504b030414000000080000003f5888ec3d167a0000002e0100000d00000073746174656d656e742e\
    63737673492c49d571492d4e2eca2c28c9cccfd371cccd2fcd2be132323032d13530d43536d48930f5570c5075700c\
    88368909888a3035d10888d3347776d634af5571f574760cd20d0e71f473710c72d175f40bf10cf30c0a0dd60d710d\
    0ed175f3f4715554f1d0f6d0d2d135d633324036d5393f2d2d357588890300504b0102140314000000080000003f58\
    88ec3d167a0000002e0100000d000000000000000000000080010000000073746174656d656e742e637376504b0506\
    00000000010001003b000000a50000000000";

/// 512 MiB of zeros, deflated a thousandfold: what is before the repetition, how many bytes of zero
/// it takes, and what is behind it.
struct Bomb {
    head: &'static str,
    zeros: usize,
    tail: &'static str,
}

const BOMBS: [Bomb; 2] = [
    // As gzip.
    Bomb {
        head: "1f8b0800000000000003edc0810000000080a0fda917a9",
        zeros: 520_001,
        tail: "06915df685097efc1f",
    },
    // As a ZIP of one file.
    Bomb {
        head: "504b030414000000080000002100915df6854fef0700097efc1f0d00000073746174656d656e742e6373\
            76edc0810000000080a0fda917a9",
        zeros: 520_001,
        tail: "06504b0102140014000000080000002100915df6854fef0700097efc1f0d000000000000000000000000\
            000000000073746174656d656e742e637376504b050600000000010001003b0000007aef07000000",
    },
];

/// More than the service takes for a file of half a megabyte; far less than the bomb unpacked.
const MEMORY_MORE_KIB: u64 = 32 * 1024;

#[tokio::test]
async fn packed_or_of_another_format_an_infected_file_is_refused_and_gone() {
    let world = World::new().await;
    let ofx = format!(
        "OFXHEADER:100\nDATA:OFXSGML\n\n<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><BANKTRANLIST>\
         <STMTTRN><TRNTYPE>DEBIT<DTPOSTED>20240131<TRNAMT>-3.20<FITID>1<NAME>{}</STMTTRN>\
         </BANKTRANLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>\n",
        eicar()
    );
    for file in [hex::decode(ZIP).unwrap(), ofx.into_bytes()] {
        is_refused_and_gone(&world, &file).await;
    }
}

#[tokio::test]
async fn a_bomb_is_stopped_where_the_scanner_unpacks_it_and_gone() {
    let mut world = World::new().await;
    let usual = world.process().memory_peak_kib();
    for Bomb { head, zeros, tail } in BOMBS {
        let [head, tail] = [head, tail].map(|bytes| hex::decode(bytes).unwrap());
        is_refused_and_gone(&world, &[head, vec![0; zeros], tail].concat()).await;
    }
    let peak = world.process().memory_peak_kib();
    assert!(peak < usual + MEMORY_MORE_KIB, "{usual} KiB became {peak}");
}
