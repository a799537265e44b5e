"""PCI device ids of NVIDIA GPUs, and the compute capability of their chips.

Written by .ci/regen_tables.py from .ci/tables/nvidia_pci.json: edit that, not this.
Source: pci.ids snapshot 2026.10.24, vendor 10de.
Licence: pci.ids is GPL-2+ or BSD-3-Clause; used here under BSD-3-Clause.
Capabilities: NVIDIA's CUDA GPU pages; where marked I, inferred from the chip's family.
"""

from __future__ import annotations

from typing import Final

# chip: (compute capability, integrated, device ids in hexadecimal)
CHIPS: Final[dict[str, tuple[str, bool, str]]] = {
    "GM107": (
        "5.0",
        False,
        (
            "1380 1381 1382 1389 1390 1391 1392 1393 1398 1399 139a 139b 139c 139d 13b0 13b1 "
            "13b2 13b3 13b4 13b6 13b9 13ba 13bb 13bc 13bd 1789 179c"
        ),
    ),
    "GM108": (
        "5.0",
        False,
        "1340 1341 1344 1346 1347 1348 1349 134b 134d 134e 134f 137a 137b 137d 174d 174e",
    ),
    "GM200": (
        "5.2",
        False,
        "17c2 17c8 17f0 17f1 17fd",
    ),
    "GM204": (
        "5.2",
        False,
        (
            "13ad 13ae 13be 13bf 13c0 13c1 13c2 13c3 13c4 13d7 13d8 13d9 13da 13e4 13e7 13f0 "
            "13f1 13f2 13f3 13f8 13f9 13fa 13fb 1613 1617 1618 1619 161a 1667 1676"
        ),
    ),
    "GM206": (
        "5.2",
        False,
        "1401 1402 1404 1406 1407 1427 1430 1431 1436",
    ),
    "GP100": (
        "6.0",
        False,
        "15c2 15f0 15f1 15f7 15f8 15f9 15fa 15fb 15fc 15ff 1725 172e 172f",
    ),
    "GP102": (
        "6.1",
        False,
        "1b00 1b01 1b02 1b04 1b06 1b07 1b30 1b38 1b39 1b70 1b78",
    ),
    "GP104": (
        "6.1",
        False,
        (
            "1b80 1b81 1b82 1b83 1b84 1b87 1ba0 1ba1 1ba2 1ba9 1baa 1bad 1bb0 1bb1 1bb3 1bb4 "
            "1bb5 1bb6 1bb7 1bb8 1bb9 1bbb 1bc7 1be0 1be1"
        ),
    ),
    "GP106": (
        "6.1",
        False,
        (
            "1c00 1c01 1c02 1c03 1c04 1c06 1c07 1c09 1c20 1c21 1c22 1c23 1c2d 1c30 1c31 1c35 "
            "1c36 1c60 1c61 1c62 1c70"
        ),
    ),
    "GP107": (
        "6.1",
        False,
        (
            "1c81 1c82 1c83 1c8c 1c8d 1c8e 1c8f 1c90 1c91 1c92 1c94 1c96 1ca7 1ca8 1caa 1cb1 "
            "1cb2 1cb3 1cb6 1cba 1cbb 1cbc 1cbd 1ccc 1ccd 1cfa 1cfb"
        ),
    ),
    "GP108": (
        "6.1",
        False,
        "1d01 1d02 1d10 1d11 1d12 1d13 1d16 1d33 1d34 1d52 1d56",
    ),
    "GV100": (
        "7.0",
        False,
        (
            "1d81 1d83 1d84 1db0 1db1 1db2 1db3 1db4 1db5 1db6 1db7 1db8 1dba 1dbd 1dbe 1dc1 "
            "1df0 1df2 1df4 1df5 1df6"
        ),
    ),
    "TU102": (
        "7.5",
        False,
        "1e02 1e03 1e04 1e07 1e09 1e2d 1e2e 1e30 1e35 1e36 1e37 1e38 1e3c 1e3d 1e3e 1e78",
    ),
    "TU104": (
        "7.5",
        False,
        (
            "1e81 1e82 1e84 1e87 1e89 1e90 1e91 1e93 1eab 1eae 1eb0 1eb1 1eb4 1eb5 1eb6 1eb8 "
            "1eb9 1eba 1ebe 1ec2 1ec7 1ed0 1ed1 1ed3 1ef5"
        ),
    ),
    "TU106": (
        "7.5",
        False,
        (
            "1f02 1f03 1f04 1f06 1f07 1f08 1f09 1f0a 1f0b 1f10 1f11 1f12 1f14 1f15 1f2e 1f36 "
            "1f42 1f47 1f50 1f51 1f54 1f55 1f76"
        ),
    ),
    "TU116": (
        "7.5",
        False,
        "2182 2183 2184 2186 2187 2188 2189 2191 2192 21ae 21bf 21c2 21c3 21c4 21d1",
    ),
    "TU117": (
        "7.5",
        False,
        (
            "1f81 1f82 1f83 1f91 1f92 1f94 1f95 1f96 1f97 1f98 1f99 1f9c 1f9d 1f9f 1fa0 1fa1 "
            "1fae 1fb0 1fb1 1fb2 1fb6 1fb7 1fb8 1fb9 1fba 1fbb 1fbc 1fbf 1fd9 1fdd 1ff0 1ff2 "
            "1ff9"
        ),
    ),
    "GA100": (
        "8.0",
        False,
        (
            "2080 2081 2082 20b0 20b1 20b2 20b3 20b4 20b5 20b6 20b7 20b8 20b9 20bb 20bd 20be "
            "20bf 20c0 20c2 20f0 20f1 20f2 20f3 20f5 20f6 20fd 20fe 20ff"
        ),
    ),
    "GA102": (
        "8.6",
        False,
        (
            "2200 2203 2204 2205 2206 2207 2208 220a 220d 2216 222b 222f 2230 2231 2232 2233 "
            "2235 2236 2237 2238 223f"
        ),
    ),
    "GA103": (
        "8.6",
        False,
        "2414 2420 2438 2460",
    ),
    "GA104": (
        "8.6",
        False,
        (
            "2480 2482 2483 2484 2486 2487 2488 2489 248a 248c 248d 248e 249c 249d 249f 24a0 "
            "24a4 24ac 24ad 24af 24b0 24b1 24b6 24b7 24b8 24b9 24ba 24bb 24bf 24c0 24c7 24c8 "
            "24c9 24dc 24dd 24df 24e0 24fa"
        ),
    ),
    "GA106": (
        "8.6",
        False,
        (
            "2501 2503 2504 2505 2507 2508 2509 2520 2521 2523 252f 2531 2544 2560 2561 2563 "
            "2571"
        ),
    ),
    "GA107": (
        "8.6",
        False,
        (
            "2582 2583 2584 25a0 25a2 25a3 25a4 25a5 25a6 25a7 25a9 25aa 25ab 25ac 25ad 25af "
            "25b0 25b2 25b5 25b6 25b8 25b9 25ba 25bb 25bc 25bd 25e0 25e2 25e5 25ec 25ed 25f9 "
            "25fa 25fb"
        ),
    ),
    "AD102": (
        "8.9",
        False,
        "2681 2684 2685 2689 26af 26b1 26b2 26b3 26b5 26b7 26b8 26b9 26ba 26bb 26f5",
    ),
    "AD103": (
        "8.9",
        False,
        "2702 2703 2704 2705 2709 2717 2730 2757 2770",
    ),
    "AD104": (
        "8.9",
        False,
        (
            "2782 2783 2785 2786 2788 27a0 27b0 27b1 27b2 27b6 27b7 27b8 27ba 27bb 27e0 27fa "
            "27fb"
        ),
    ),
    "AD106": (
        "8.9",
        False,
        "2803 2805 2808 2820 2822 2838 2860 2878",
    ),
    "AD107": (
        "8.9",
        False,
        "2882 28a0 28a1 28a3 28b0 28b8 28b9 28ba 28bb 28e0 28e1 28e3 28f8",
    ),
    "GH100": (
        "9.0",
        False,
        (
            "2302 230c 230e 2313 2321 2322 2324 2328 2329 232c 2330 2331 2335 2336 2337 2338 "
            "2339 233a 233b 233d 2342 2343 2345 2348 237e 237f 23b0 23f0"
        ),
    ),
    "GB100": (
        "10.0",
        False,
        "2900 2901 2909 290a 2920 2924 2925 293d 2940 2941 297e",
    ),
    "GB102": (
        "10.0",
        False,
        "2980 29bb 29bc 29c0 29f1",
    ),
    "GB110": (
        "10.3",
        False,
        "3180 3182 3183 3184 31a1 31c0 31c2 31c3 31fe",
    ),
    "GB112": (
        "10.3",
        False,
        "3200 3224 323e",
    ),
    "GB10B": (
        "11.0",
        True,
        "2b00",
    ),
    "GB202": (
        "12.0",
        False,
        "2b85 2b87 2b8c 2bb1 2bb2 2bb3 2bb4 2bb5 2bb9 2bbc",
    ),
    "GB203": (
        "12.0",
        False,
        "2c02 2c05 2c09 2c18 2c19 2c31 2c33 2c34 2c38 2c39 2c3a 2c58 2c59 2c77 2c79",
    ),
    "GB205": (
        "12.0",
        False,
        "2f04 2f06 2f18 2f38 2f58",
    ),
    "GB206": (
        "12.0",
        False,
        "2d04 2d05 2d18 2d19 2d30 2d39 2d58 2d59 2d79",
    ),
    "GB207": (
        "12.0",
        False,
        "2d83 2d98 2db8 2db9 2dd8 2df9",
    ),
    "GB20B": (
        "12.1",
        True,
        "2e02 2e03 2e06 2e12 2e13 2e2a",
    ),
    "GR100": (
        "10.7",
        False,
        "3000 3002 3021 3040 3041 307e 307f",
    ),
    "GR102": (
        "10.7",
        False,
        "3080 30c0 30ff",
    ),
}

# Ranges in which every known id belongs to one chip: (first, last, chip). An id that is not
# listed above but lies in such a range is very likely a new board with that chip.
BLOCKS: Final[tuple[tuple[int, int, str], ...]] = (
    (0x1B00, 0x1B7F, "GP102"),
    (0x1B80, 0x1BFF, "GP104"),
    (0x1C00, 0x1C7F, "GP106"),
    (0x1C80, 0x1CFF, "GP107"),
    (0x1D00, 0x1D7F, "GP108"),
    (0x1D80, 0x1DFF, "GV100"),
    (0x1E00, 0x1E7F, "TU102"),
    (0x1E80, 0x1EFF, "TU104"),
    (0x1F00, 0x1F7F, "TU106"),
    (0x1F80, 0x1FFF, "TU117"),
    (0x2080, 0x20FF, "GA100"),
    (0x2180, 0x21FF, "TU116"),
    (0x2200, 0x227F, "GA102"),
    (0x2300, 0x23FF, "GH100"),
    (0x2400, 0x247F, "GA103"),
    (0x2480, 0x24FF, "GA104"),
    (0x2500, 0x257F, "GA106"),
    (0x2580, 0x25FF, "GA107"),
    (0x2680, 0x26FF, "AD102"),
    (0x2700, 0x277F, "AD103"),
    (0x2780, 0x27FF, "AD104"),
    (0x2800, 0x287F, "AD106"),
    (0x2880, 0x28FF, "AD107"),
    (0x2900, 0x297F, "GB100"),
    (0x2980, 0x29FF, "GB102"),
    (0x2B00, 0x2B7F, "GB10B"),
    (0x2B80, 0x2BFF, "GB202"),
    (0x2C00, 0x2C7F, "GB203"),
    (0x2D00, 0x2D7F, "GB206"),
    (0x2D80, 0x2DFF, "GB207"),
    (0x2E00, 0x2E7F, "GB20B"),
    (0x2F00, 0x2F7F, "GB205"),
    (0x3000, 0x307F, "GR100"),
    (0x3080, 0x30FF, "GR102"),
    (0x3180, 0x31FF, "GB110"),
    (0x3200, 0x327F, "GB112"),
)
