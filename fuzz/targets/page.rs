//! Pages of accounts and lists of posts: any bytes are read, by what they claim to be and as a page of each host.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zhijian::page::{Input, read};

fuzz_target!(|bytes: &[u8]| {
    for address in [None, Some("https://mp.weixin.qq.com/s/abc"), Some("https://www.example.gov.cn/a.html")] {
        let address = address.and_then(|text| text.parse().ok());
        let read = read(&Input::new(bytes, None, address));
        assert!(read.inspection.has_gaps() || !read.inspection.coverage().parts.is_empty());
    }
});
