//! Large rows and long batches.

use super::*;

#[test]
fn a_row_too_large_is_named_before_it_is_sent() {
    on_both("large", |bench| {
        bench.sql("CREATE TABLE t (id INT PRIMARY KEY, v LONGBLOB)");
        let t = bench.followed("t");
        let packet: usize = bench.rows("SELECT @@global.max_allowed_packet")[0].parse().expect("a number");
        // Bytes that have to be written in hexadecimal take two each.
        let mut large = Image::with_capacity(2, packet);
        large.push(Some(b"2"));
        large.push(Some(&vec![0xff; packet / 2 - 100]));
        let mut huge = Image::with_capacity(2, packet);
        huge.push(Some(b"3"));
        huge.push(Some(&vec![0xff; packet / 2]));
        let batch = |image: &Image| Batch {
            keyed: vec![TableChanges {
                table: Arc::clone(&t),
                deletes: vec![],
                updates: vec![],
                inserts: vec![row("1,a"), image.clone(), row("4,b")],
            }],
            ordered: vec![],
            cascades: vec![],
        };
        bench.apply_cleanly(&batch(&large));
        assert_eq!(
            bench.rows("SELECT id, LENGTH(v) FROM t ORDER BY id"),
            ["1,1".to_owned(), format!("2,{}", packet / 2 - 100), "4,1".to_owned()]
        );
        bench.sql("DELETE FROM t");
        match bench.apply(&batch(&huge), STRICT) {
            Err(DestinationError::TooLarge { bytes, packet: limit, .. }) => assert!(bytes > limit && limit == packet as u64),
            other => panic!("too large: {other:?}"),
        }
        assert_eq!(bench.rows("SELECT COUNT(*) FROM t"), ["0"]);
    });
}
