"""The names under which NVIDIA's GPUs are known, by chip, and virtual GPUs by their base.

Sources: NVIDIA/open-gpu-kernel-modules, README.md and g_nv_name_released.h of 193 tags from
515.43.04 to 595.45.04, which is what NVML prints (without "NVIDIA " in front); pci.ids 2023.04.11
for what is older; Jetson's names from rbonghi/jetson_stats and public logs; spellings of sites and
clouds where no rule of ``names`` reaches them. Capabilities of Kepler: NVIDIA's CUDA GPU pages.
``@570`` is the first driver branch that lists a name, given where that is newer than R515.

Loaded by ``names`` when a name is looked up, and not before. docs/tables.md says how to add one.
"""

from __future__ import annotations

from typing import Final

# Chips that the table of PCI ids does not hold: Kepler, and Tegra before Xavier.
OLDER_CHIPS: Final = {
    "GK104": "3.0",
    "GK106": "3.0",
    "GK107": "3.0",
    "GK110": "3.5",
    "GK110B": "3.5",
    "GK180": "3.5",
    "GK208": "3.5",
    "GK208B": "3.5",
    "GK20A": "3.2",
    "GK210": "3.7",
    "GM20B": "5.3",
    "GP10B": "6.2",
}

NAMES: Final = {
    "GK104": (
        "GeForce GTX 680; GeForce GTX 760 Ti; GeForce GTX 660 Ti; GeForce GTX 770; GeForce GTX "
        "760; GeForce GTX 690; GeForce GTX 670; GRID K520; Tesla K10; Tesla K8; GeForce GTX "
        "880M; GeForce GTX 870M; GeForce GTX 860M; GeForce GTX 780M; GeForce GTX 680M; GeForce "
        "GTX 670MX; GeForce GTX 680MX; GeForce GTX 675MX; Quadro K5100M; Quadro K4200; Quadro "
        "K3100M; Quadro K4100M; Quadro K5000; Quadro 4100; Quadro K5000M; Quadro K4000M; Quadro "
        "K3000M; GRID K2"
    ),
    "GK106": (
        "GeForce GTX 660; GeForce GTX 650 Ti Boost; GeForce GT 740; GeForce GTX 650 Ti; GeForce "
        "GTX 750 Ti; GeForce GTX 770M; GeForce GTX 765M; GeForce GTX 760M; Quadro K4000; Quadro "
        "K2100M"
    ),
    "GK107": (
        "GeForce GT 640; GeForce GT 1030; GeForce GTX 650; GeForce GT 740; GeForce GT 730; "
        "GeForce GT 755M; GeForce GT 640M LE; GeForce GT 650M; GeForce GT 640M; GeForce GTX "
        "660M; GeForce GT 645M; GeForce GT 740M; GeForce GT 730M; GeForce GT 745M; GeForce GT "
        "750M; GeForce 710A; GeForce 820M; GeForce 810M; GRID K340; NVS 1000; GRID K1; Quadro "
        "K420; Quadro K1100M; Quadro K500M; Quadro K2000D; Quadro K600; Quadro K2000M; Quadro "
        "K1000M; NVS 510; Quadro K2000; Quadro 410"
    ),
    "GK110": (
        "GeForce GTX Titan LE; GeForce GTX 780; GeForce GTX TITAN; GeForce GTX 780 Ti 6GB; "
        "Tesla K20X; Tesla K20; Tesla K20Xm; Tesla K20c; Tesla K20s; Tesla K20m; Quadro K6000; "
        "Quadro K5200"
    ),
    "GK110B": (
        "GeForce GTX TITAN Z; GeForce GTX 780 Ti; GeForce GTX TITAN Black; Tesla K40m; Tesla "
        "K40st; Tesla K40s; Tesla K40t; Tesla K40d; Tesla K40"
    ),
    "GK180": "Tesla K40c",
    "GK208": (
        "GeForce GT 635; GeForce GT 710; GeForce GT 720; GeForce GT 730M; GeForce GT 735M; "
        "GeForce GT 740M; GeForce 710M; GeForce 825M; GeForce GT 720M; GeForce 920M; GeForce "
        "910M; Quadro K610M; Quadro K510M"
    ),
    "GK208B": "GeForce GT 730; GeForce GT 720; GeForce GT 710",
    "GK20A": "Jetson TK1",
    "GK210": "Tesla K80",
    "GM107": (
        "GeForce 840M; GeForce 845M; GeForce 940M; GeForce 945M; GeForce 940MX; GeForce GTX 750 "
        "Ti; GeForce GTX 750; GeForce GTX 745; GeForce GTX 850M; GeForce GTX 850A; GeForce GTX "
        "860M; GeForce GTX 950M; GeForce GTX 950A; GeForce GTX 960M; GeForce GTX 960A; GeForce "
        "GTX 750Ti; Quadro M2000M; Quadro M1000M; Quadro M600M; Quadro K2200M; Quadro M620; "
        "Quadro M1200; NVS 810; Quadro K2200; Quadro K620; Quadro K1200; EIZO Quadro "
        "MED-XN50LP; GRID M30; Tesla M10; GRID M3-3020"
    ),
    "GM108": (
        "GeForce 830M; GeForce 830A; GeForce 840M; GeForce 840A; GeForce 845M; GeForce 930M; "
        "GeForce 930A; GeForce 940M; GeForce 940A; GeForce 945M; GeForce 945A; GeForce 940MX; "
        "GeForce 930MX; GeForce 920MX; N15M-Q3; Quadro K620M; Quadro M500M; Quadro M520; "
        "GeForce MX130; GeForce MX110"
    ),
    "GM200": (
        "GeForce GTX TITAN X; GeForce GTX 980 Ti; Quadro M6000; Quadro M6000 24GB; Tesla M40; "
        "Tesla M40 24GB"
    ),
    "GM204": (
        "GeForce GTX 980; GeForce GTX 970; GeForce GTX 980M; GeForce GTX 970M; GeForce GTX 960; "
        "GeForce GTX 965M; Quadro M5000; Quadro M4000; EIZO Quadro MED-XN90; Tesla M60; Tesla "
        "M6; Quadro M5000M; Quadro M5000 SE; Quadro M4000M; Quadro M3000M; Quadro M3000 SE; "
        "Quadro M5500"
    ),
    "GM206": (
        "GeForce GTX 750; GeForce GTX 960; GeForce GTX 965M; GeForce GTX 950; Quadro M2000; "
        "EIZO Quadro MED-XN70; Tesla M4; Quadro M2200; GeForce GTX 750 v2"
    ),
    "GM20B": "Tegra X1; Jetson TX1; Jetson Nano; Jetson Nano Developer Kit",
    "GP100": (
        "Quadro GP100; Tesla P100-PCIE-12GB; Tesla P100-PCIE-16GB; Tesla P100-SXM2-16GB; P100; "
        "P100L"
    ),
    "GP102": (
        "TITAN X (Pascal); TITAN Xp; TITAN Xp COLLECTORS EDITION; GeForce GTX 1080 Ti; Quadro "
        "P6000; Tesla P40; P102-100; Tesla P10"
    ),
    "GP104": (
        "GeForce GTX 1080; GeForce GTX 1070; GeForce GTX 1070 Ti; GeForce GTX 1060 6GB; GeForce "
        "GTX 1060 3GB; P104-100; GeForce GTX 1080 with Max-Q Design; GeForce GTX 1070 with "
        "Max-Q Design; Quadro P5000; Quadro P4000; EIZO Quadro MED-XN91; Tesla P6; Quadro "
        "P5200; Quadro P5200 with Max-Q Design; Quadro P4000 with Max-Q Design; Quadro P3000; "
        "Quadro P4200; Quadro P4200 with Max-Q Design; Quadro P3200; Quadro P3200 with Max-Q "
        "Design; P104-101; Tesla P4"
    ),
    "GP106": (
        "GeForce GTX 1060 6GB; GeForce GTX 1060 3GB; GeForce GTX 1060 5GB; P106-100; P106-090; "
        "GeForce GTX 1060; GeForce GTX 1060 with Max-Q Design; GeForce GTX 1050 Ti; GeForce GTX "
        "1050; Quadro P2000; EIZO Quadro MED-XN71; Quadro P2200; EIZO Quadro MED-XN72; P106M"
    ),
    "GP107": (
        "GeForce GTX 1050 Ti; GeForce GTX 1050; Quadro P2000; GeForce GTX 1050 Ti with Max-Q "
        "Design; GeForce GTX 1050 with Max-Q Design; GeForce MX150; GeForce MX250; GeForce "
        "MX350; Quadro P1000; EIZO Quadro MED-XN51LP; Quadro P600; Quadro P400; EIZO Quadro "
        "MED-XN31LP; Quadro P620; Quadro P2000 with Max-Q Design; Matrox D-Series D1480; Matrox "
        "D-Series D1450"
    ),
    "GP108": (
        "GeForce MX150; GeForce MX250; GeForce GT 1030; GeForce GT 1010; GeForce MX230; GeForce "
        "MX330; Quadro P500; Quadro P520"
    ),
    "GP10B": "Tegra X2; Jetson TX2; Jetson TX2i; Jetson TX2 NX; quill",
    "GV100": (
        "TITAN V; Tesla V100-SXM2-16GB; Tesla V100-SXM2-16GB-LS; Tesla V100-FHHL-16GB; Tesla "
        "V100-PCIE-16GB; Tesla V100-PCIE-16GB-LS; Tesla V100-SXM2-32GB; Tesla "
        "V100-SXM2-32GB-LS; Tesla V100-PCIE-32GB; Tesla V100-DGXS-32GB; Tesla V100-SXM3-32GB; "
        "Tesla V100-SXM3-32GB-H; Quadro GV100; TITAN V JHH Special Edition; Tesla PG500-216; "
        "Tesla PG503-216; Tesla V100S-PCIE-32GB; V100; V100L; V100S"
    ),
    "GV11B": (
        "Xavier; Jetson Xavier; Jetson AGX Xavier; Jetson Xavier NX; Jetson AGX; AGX Xavier; "
        "Xavier NX; Jetson "
        "Xavier NX Developer Kit"
    ),
    "TU102": (
        "TITAN RTX; GeForce RTX 2080 Ti; CMP 50HX; Quadro RTX 6000; Quadro RTX 8000; GeForce "
        "RTX 2080; Tesla T40 24GB; GRID RTX T10; Q6K; Q8K"
    ),
    "TU104": (
        "GeForce RTX 2080 SUPER; GeForce RTX 2080; GeForce RTX 2070 SUPER; GeForce RTX 2060; "
        "GeForce RTX 2080 with Max-Q Design; GeForce RTX 2070 Super; GeForce RTX 2070 Super "
        "with Max-Q Design; GeForce RTX 2080 Super; GeForce RTX 2080 Super with Max-Q Design; "
        "Quadro RTX 5000; Quadro RTX 4000; EIZO Quadro MED-XN92; Quadro RTX 5000 with Max-Q "
        "Design; Quadro RTX 4000 with Max-Q Design; Tesla T4; T4G; T4g; GRID RTX T4"
    ),
    "TU106": (
        "GeForce RTX 2060; GeForce RTX 2070; GeForce RTX 2060 SUPER; GeForce GTX 1650; CMP "
        "40HX; GeForce RTX 2070 with Max-Q Design; GeForce RTX 2060 with Max-Q Design; Quadro "
        "RTX 3000; Quadro RTX 3000 with Max-Q Design; Matrox D-Series D2450; Matrox D-Series "
        "D2480"
    ),
    "TU116": (
        "GeForce GTX 1650; GeForce GTX 1650 Ti; GeForce GTX 1660 Ti; GeForce GTX 1660; GeForce "
        "GTX 1650 SUPER; CMP 30HX; GeForce GTX 1660 Ti with Max-Q Design; GeForce GTX 1660 "
        "SUPER"
    ),
    "TU117": (
        "GeForce GTX 1650; GeForce GTX 1650 with Max-Q Design; GeForce GTX 1650 Ti; GeForce GTX "
        "1650 Ti with Max-Q Design; GeForce MX450; GeForce MX550; T1000; DGX Display; T600; "
        "T400; T600 Laptop GPU; T550 Laptop GPU; Quadro T2000; Quadro T2000 with Max-Q Design; "
        "Quadro T1000; Quadro T1000 with Max-Q Design; T500; T1200 Laptop GPU; T1000 8GB; T400 "
        "4GB; GeForce GTX 1630; T400E@535; Quadro T400 Mobile; Quadro T500 Mobile"
    ),
    "GA100": (
        "A100-SXM4-40GB; A100-PG509-200; A100-SXM4-80GB; PG506-242; PG506-243; A100 80GB PCIe; "
        "PG506-232; A30; A100-PCIE-40GB; A800-SXM4-80GB; A800 80GB PCIe; A800 80GB PCIe LC; "
        "A800 40GB PCIe; A100-SXM-64GB; PG509-210@525; A800-SXM4-40GB@535; A800 40GB "
        "Active@535; AX800@535; CMP 170HX; A100X; A30X; DRIVE A100 PROD; GRID A100A; GRID "
        "A100B; A100-PG506-207; A100-PG506-217; A100T; A100; A100L; A800"
    ),
    "GA102": (
        "GeForce RTX 3090 Ti; GeForce RTX 3090; GeForce RTX 3080; GeForce RTX 3080 Ti; CMP "
        "90HX; RTX A6000; RTX A5000; RTX A4500; RTX A5500; A40; A10; A10G; A10M; GeForce RTX "
        "3070 Ti; GeForce RTX 3060; GeForce RTX 3050"
    ),
    "GA103": "GeForce RTX 3060 Ti; GeForce RTX 3080 Ti Laptop GPU; RTX A5500 Laptop GPU",
    "GA104": (
        "GeForce RTX 3060 Ti; GeForce RTX 3070 Ti; GeForce RTX 3070; GeForce RTX 3060; CMP "
        "70HX; GeForce RTX 3080 Laptop GPU; GeForce RTX 3060 Laptop GPU; GeForce RTX 3070 "
        "Laptop GPU; GeForce RTX 3070 Ti Laptop GPU; RTX A4000; RTX A4000H; RTX A5000 Laptop "
        "GPU; RTX A4000 Laptop GPU; RTX A3000 Laptop GPU; RTX A3000 12GB Laptop GPU; RTX A4500 "
        "Laptop GPU; RTX A4500 Embedded GPU"
    ),
    "GA106": (
        "GeForce RTX 3060; GeForce RTX 3060 Laptop GPU; GeForce RTX 3050; GeForce RTX 3050 OEM; "
        "GeForce RTX 3050 Ti Laptop GPU; RTX A2000; RTX A2000 12GB"
    ),
    "GA107": (
        "GeForce RTX 3060 Laptop GPU; GeForce RTX 3050; GeForce RTX 3050 Ti Laptop GPU; GeForce "
        "RTX 3050Ti Laptop GPU; GeForce RTX 3050 Laptop GPU; GeForce MX570; GeForce RTX 2050; "
        "GeForce MX570 A; A16; A2; RTX A2000 Laptop GPU; RTX A1000 Laptop GPU; RTX A2000 8GB "
        "Laptop GPU; RTX A500 Laptop GPU; RTX A1000 Embedded GPU; RTX A2000 Embedded GPU; "
        "GeForce RTX 3050 4GB Laptop GPU; GeForce RTX 3050 6GB Laptop GPU; RTX A500 Embedded "
        "GPU; RTX A1000 6GB Laptop GPU@525; RTX A1000@550; RTX A400@550; RTX A4 Mobile"
    ),
    "GA10B": (
        "Orin; Jetson Orin; Jetson AGX Orin; AGX Orin; Jetson Orin NX; Orin NX; Jetson Orin "
        "Nano; Orin Nano; DRIVE Orin; Jetson AGX Orin Developer Kit; Orin NX Developer Kit; "
        "Jetson Orin Nano Engineering Reference Developer Kit Super"
    ),
    "AD102": (
        "GeForce RTX 4090@520; RTX 6000 Ada Generation@525; L40@525; RTX 5000 Ada "
        "Generation@535; L40S@535; GeForce RTX 4090 D@535; RTX 5880 Ada Generation@535; "
        "L20@535; GeForce RTX 4070 Ti SUPER@550; RTX TITAN Ada; L40G; L40 CNX"
    ),
    "AD103": (
        "GeForce RTX 4080@525; GeForce RTX 4090 Laptop GPU@525; RTX 5000 Ada Generation Laptop "
        "GPU@525; GeForce RTX 4070@525; RTX 5000 Ada Generation Embedded GPU@525; GeForce RTX "
        "4070 Ti SUPER@550; GeForce RTX 4080 SUPER@550"
    ),
    "AD104": (
        "GeForce RTX 4070 Ti@525; GeForce RTX 4080 Laptop GPU@525; GeForce RTX 4070@525; RTX "
        "4000 SFF Ada Generation@525; L4@525; RTX 4000 Ada Generation Laptop GPU@525; RTX 3500 "
        "Ada Generation Laptop GPU@525; GeForce RTX 4060 Ti@525; RTX 4000 Ada Generation@535; "
        "RTX 3500 Ada Generation Embedded GPU@535; RTX 4500 Ada Generation@535; L2@535; GeForce "
        "RTX 4070 SUPER@550; L16"
    ),
    "AD106": (
        "GeForce RTX 4070 Laptop GPU@525; RTX 3000 Ada Generation Laptop GPU@525; GeForce RTX "
        "4060 Ti@525; GeForce RTX 4060@525; GeForce RTX 3050 A Laptop GPU@550"
    ),
    "AD107": (
        "GeForce RTX 4060 Laptop GPU@525; GeForce RTX 4050 Laptop GPU@525; RTX 2000 Ada "
        "Generation Laptop GPU@525; GeForce RTX 4060@525; RTX 2000 Ada Generation Embedded "
        "GPU@525; RTX 1000 Ada Generation Laptop GPU@535; RTX 500 Ada Generation Laptop "
        "GPU@535; RTX 2000 Ada Generation@550; RTX 2000E Ada Generation@550; GeForce RTX 3050 A "
        "Laptop GPU@550"
    ),
    "GH100": (
        "H100 PCIe@520; H100 80GB HBM3@525; H100 80GB HBM2e@525; H800 PCIe@525; H800@525; "
        "H100@525; H100 NVL@535; H800 NVL@535; GH200 120GB@535; GH200 480GB@535; H20@535; "
        "H200@550; H200 NVL@565; GH200 144G HBM3e@565; H20 NVL16@580; H100 CNX; H20-3e@535; "
        "GH200@535; GH; H100X"
    ),
    "GB100": "B200@570; HGX GB200@570; GB200@570",
    "GB102": "DRIVE P2021@580",
    "GB10B": (
        "Thor; Jetson Thor; Jetson AGX Thor; AGX Thor; Jetson T5000; Jetson T4000; Jetson AGX "
        "Thor Developer Kit"
    ),
    "GB110": "B300 SXM6 AC@580; GB300@580; B300@580",
    "GB202": (
        "GeForce RTX 5090@570; GeForce RTX 5090 D@570; RTX PRO 6000 Blackwell Workstation "
        "Edition@570; RTX PRO 6000 Blackwell Max-Q Workstation Edition@570; RTX PRO 5000 "
        "Blackwell@570; GeForce RTX 5090 D v2@570; RTX PRO 6000 Blackwell Server Edition@575; "
        "GeForce RTX 5090 D V2@580; RTX 6000D@580; RTX PRO 5000 72GB Blackwell@580; RTX PRO "
        "6000D Blackwell Workstation Edition@580; RTX PRO 6000D Blackwell Max-Q Workstation "
        "Edition@580; RTXP6000@570; RTX PRO 6000 BSE@575; RTX 6000 BW@570; RTX PRO Server "
        "6000@575; RTX PRO 6000 Blackwell@570; RTX PRO 6000 Blackwell DC@575"
    ),
    "GB203": (
        "GeForce RTX 5080@570; GeForce RTX 5070 Ti@570; GeForce RTX 5090 Laptop GPU@570; "
        "GeForce RTX 5080 Laptop GPU@570; RTX PRO 5000 Blackwell Generation Laptop GPU@570; RTX "
        "PRO 4000 Blackwell Generation Laptop GPU@570; RTX PRO 4500 Blackwell@570; RTX PRO 4000 "
        "Blackwell@570; RTX PRO 4000 Blackwell SFF Edition@570; RTX PRO 4000 Blackwell Embedded "
        "GPU@570; RTX PRO 5000 Blackwell Embedded GPU@580; RTX PRO 4500 Blackwell Server "
        "Edition@580"
    ),
    "GB205": (
        "GeForce RTX 5070@570; GeForce RTX 5070 Ti Laptop GPU@570; RTX PRO 3000 Blackwell "
        "Generation Laptop GPU@570"
    ),
    "GB206": (
        "GeForce RTX 5060 Ti@570; GeForce RTX 5070 Laptop GPU@570; GeForce RTX 5060@570; "
        "GeForce RTX 5060 Laptop GPU@570; RTX PRO 2000 Blackwell Generation Laptop GPU@570; RTX "
        "PRO 2000 Blackwell@570; RTX PRO 2000 Blackwell Embedded GPU@570"
    ),
    "GB207": (
        "RTX PRO 1000 Blackwell Generation Laptop GPU@570; RTX PRO 500 Blackwell Generation "
        "Laptop GPU@570; GeForce RTX 5050 Laptop GPU@570; GeForce RTX 5050@570; RTX PRO 500 "
        "Blackwell Embedded GPU@570"
    ),
    "GB20B": "GB10@580; DGX Spark@580",
    "GR100": "VR200; R200; Vera Rubin",
}

# What stands before the profile of a virtual GPU, without blanks: H100L of H100L-2-24C.
VIRTUAL: Final = {
    "AD102": "l20 l40 l40g l40s rtx5880 rtx6000ada rtx5000 rtx6000 rtx5000ada rtx5880ada",
    "AD104": "l2 l4",
    "GA100": "a100 a100b a100d a100dx a100x a800 a800d a800dx a30",
    "GA102": "a10 a10g a10m a40 rtxa5000 rtxa5500 rtxa6000",
    "GA107": "a16 a2",
    "GB100": "b200x gb200",
    "GB110": "b300x",
    "GB202": "rtx6000d rtxpro6000blackwelldc",
    "GH100": (
        "h100 gh200 gh200l h100gl h100l h100xl h100xm h100xs h20 h200 h200x h20l h20x "
        "h800 h800l h800xm"
    ),
    "GM107": "m10",
    "GM204": "m6 m60",
    "GP100": "p100 p100c p100x",
    "GP102": "p40",
    "GP104": "p4 p6",
    "GV100": "v100d v100 v100dx v100l v100s v100x",
    "TU102": "rtxt10 rtxt10x",
    "TU104": "rtxt4 t4",
}

# With GRID in front these are Turing, with NVIDIA they are Ada.
GRID_ONLY: Final = {
    "TU102": "rtx6000 rtx6000p rtx8000 rtx8000p",
}
