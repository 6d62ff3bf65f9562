"""Makes tests/weights/golden/ with the real libraries: torch, safetensors, transformers.

Run: python tests/weights/make_golden.py   (torch 2.15, safetensors 0.8, transformers 5.23)
"""

import io
import json
import struct
import sys
import zipfile
from collections import OrderedDict
from pathlib import Path

import torch
from safetensors.torch import save
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertForPreTraining,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertModel,
)

GOLDEN = Path(__file__).parent / "golden"
GOLDEN.mkdir(exist_ok=True)
torch.manual_seed(0)

HALF_BITS = [0x0000, 0x8000, 0x0001, 0x83FF, 0x0400, 0x3C00, 0x3555, 0x7BFF, 0x7C00, 0xFC00, 0x7E00, 0xFE01]


def bits16(dtype):
    return torch.tensor(HALF_BITS, dtype=torch.uint16).view(dtype)


def state():
    """Tensors of every kind: views, shared storages, scalars, empty ones, special values."""
    base = torch.randn(6, 5)
    long_storage = torch.arange(40, dtype=torch.float32)
    return OrderedDict(
        f32=torch.tensor([0.0, -0.0, 1.5, float("inf"), -float("inf"), float("nan"), 1e-45, 3.4e38]),
        f64=torch.tensor([0.1, -2.5, 1e300, 1e-320, float("nan"), 1.0000000596046448], dtype=torch.float64),
        f16=bits16(torch.float16),
        bf16=bits16(torch.bfloat16),
        i64=torch.tensor([0, -1, 2**53, -(2**63), 2**63 - 1]),
        i32=torch.tensor([0, -1, 2**31 - 1, -(2**31)], dtype=torch.int32),
        i16=torch.tensor([[0, -1], [32767, -32768]], dtype=torch.int16),
        i8=torch.tensor([0, -1, 127, -128], dtype=torch.int8),
        u8=torch.tensor([0, 1, 255], dtype=torch.uint8),
        bool=torch.tensor([True, False, True]),
        scalar=torch.tensor(2.5),
        empty=torch.zeros(0, 3),
        base=base,
        transposed=base.t(),
        columns=base[:, 1:4],
        every_second=base[::2, ::2],
        row=base[3],
        offset=long_storage[7:19].view(3, 4),
        permuted=torch.randn(2, 3, 4, 1).permute(2, 3, 0, 1),
        expanded=torch.tensor([1.0, 2.0, 3.0]).expand(4, 3),
        half_transposed=torch.randn(4, 3).half().t(),
        bool_transposed=torch.tensor([[True, False, False], [False, True, True]]).t(),
        parameter=torch.nn.Parameter(torch.randn(3, 2)),
        buffer_parameter=torch.nn.Parameter(torch.randn(2, 3).t(), requires_grad=False),
    )


def new_types():
    """Types that came later and are saved through _rebuild_tensor_v3."""
    return {
        "u16": torch.tensor([0, 1, 65535], dtype=torch.uint16),
        "u32": torch.tensor([0, 1, 2**32 - 1], dtype=torch.uint32),
        "u64": torch.tensor([0, 1, 2**64 - 1], dtype=torch.uint64),
        "e4m3": torch.arange(256, dtype=torch.uint8).view(torch.float8_e4m3fn),
        "e5m2": torch.arange(256, dtype=torch.uint8).view(torch.float8_e5m2),
        "e5m2_slice": torch.arange(256, dtype=torch.uint8).view(torch.float8_e5m2)[3:100:7],
        "u16_transposed": torch.arange(6).to(torch.uint16).view(2, 3).t(),
    }


def write_truth(name, tensors):
    """The same tensors in C order, as they are and as float32, by the safetensors library."""
    plain = {key: value.detach().clone(memory_format=torch.contiguous_format) for key, value in tensors.items()}
    (GOLDEN / f"{name}.safetensors").write_bytes(save(plain))
    floats = {key: value.to(torch.float32) for key, value in plain.items()}
    (GOLDEN / f"{name}_float32.safetensors").write_bytes(save(floats))


def to_big_endian(data, size_of):
    """Rewrites a zip checkpoint as a big-endian machine would write it."""
    source = zipfile.ZipFile(io.BytesIO(data))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as target:
        for info in source.infolist():
            content = source.read(info)
            folder, _, key = info.filename.rpartition("/")
            if info.filename.endswith("byteorder"):
                content = b"big"
            elif folder.endswith("/data"):
                size = size_of[key]
                content = b"".join(content[i : i + size][::-1] for i in range(0, len(content), size))
            target.writestr(info.filename, content)
    return out.getvalue()


def save_bytes(value, **options):
    out = io.BytesIO()
    torch.save(value, out, **options)
    return out.getvalue()


def write_torch():
    tensors = state()
    (GOLDEN / "torch_zip.bin").write_bytes(save_bytes(tensors))
    (GOLDEN / "torch_old.bin").write_bytes(save_bytes(tensors, _use_new_zipfile_serialization=False))
    (GOLDEN / "torch_protocol4.bin").write_bytes(save_bytes(tensors, pickle_protocol=4))
    (GOLDEN / "torch_old_protocol4.bin").write_bytes(
        save_bytes(tensors, pickle_protocol=4, _use_new_zipfile_serialization=False)
    )
    write_truth("torch_values", tensors)
    (GOLDEN / "torch_new_types.bin").write_bytes(save_bytes(new_types()))
    write_truth("torch_new_types", new_types())

    ordered = {key: tensors[key] for key in ["f32", "f64", "i16", "bf16", "u8", "transposed"]}
    sizes = {str(i): tensor.element_size() for i, tensor in enumerate(ordered.values())}
    big = to_big_endian(save_bytes(ordered), sizes)
    for key, value in torch.load(io.BytesIO(big), weights_only=True).items():
        assert torch.equal(value.nan_to_num(), ordered[key].nan_to_num()), key
    (GOLDEN / "torch_big_endian.bin").write_bytes(big)

    zip64 = io.BytesIO()
    source = zipfile.ZipFile(io.BytesIO(save_bytes({"x": torch.arange(5.0)})))
    with zipfile.ZipFile(zip64, "w", zipfile.ZIP_STORED) as target:
        for info in source.infolist():
            with target.open(info.filename, "w", force_zip64=True) as entry:
                entry.write(source.read(info))
    (GOLDEN / "torch_zip64.bin").write_bytes(zip64.getvalue())

    module = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.LayerNorm(3))
    (GOLDEN / "torch_module_state.bin").write_bytes(save_bytes(module.state_dict()))
    (GOLDEN / "torch_training.bin").write_bytes(save_bytes({"epoch": 3, "state_dict": module.state_dict()}))
    (GOLDEN / "torch_whole_module.bin").write_bytes(save_bytes(module))
    script = io.BytesIO()
    torch.jit.save(torch.jit.script(module), script)
    (GOLDEN / "torch_script.bin").write_bytes(script.getvalue())


def header_of(data):
    return data[8 : 8 + struct.unpack("<Q", data[:8])[0]].decode()


def write_safetensors():
    kinds = {
        "zz_bool": torch.tensor([True, False]),
        "u8": torch.tensor([1, 2, 3], dtype=torch.uint8),
        "i8": torch.tensor([-1], dtype=torch.int8),
        "e5m2": torch.tensor([1, 2], dtype=torch.uint8).view(torch.float8_e5m2),
        "e4m3": torch.tensor([1, 2, 3], dtype=torch.uint8).view(torch.float8_e4m3fn),
        "i16": torch.tensor([-2, 3], dtype=torch.int16),
        "u16": torch.tensor([2, 65535], dtype=torch.uint16),
        "f16": torch.tensor([0.1, -1.0]).half(),
        "bf16": torch.tensor([0.1, -1.0]).bfloat16(),
        "i32": torch.tensor([[-7]], dtype=torch.int32),
        "u32": torch.tensor([2**32 - 1], dtype=torch.uint32),
        "f32": torch.tensor([[0.1, 0.2], [0.3, 0.4]]),
        "f64": torch.tensor(0.1, dtype=torch.float64),
        "i64": torch.tensor([-1, 2**60]),
        "u64": torch.tensor([2**64 - 1], dtype=torch.uint64),
    }
    names = {
        name: torch.full((2,), float(i))
        for i, name in enumerate(
            ["b", "a.10", "a.2", "a", "B", "\U0001f600", "\uffee", "é", "", "tab\tquote\"slash\\/", "\x00\x1f\x7f\u2028"]
        )
    }
    empty = {"none": torch.zeros(0, 3), "scalar": torch.tensor(1, dtype=torch.int8), "f": torch.zeros(2, 0)}
    small = {"x": torch.tensor([1.0])}
    (GOLDEN / "st_dtypes.safetensors").write_bytes(save(kinds))
    (GOLDEN / "st_complex.safetensors").write_bytes(save({"x": torch.tensor([1 + 2j])}))
    (GOLDEN / "st_names.safetensors").write_bytes(save(names, metadata={"format": "pt"}))
    (GOLDEN / "st_empty.safetensors").write_bytes(save(empty))
    (GOLDEN / "st_no_tensors.safetensors").write_bytes(save({}))
    (GOLDEN / "st_empty_metadata.safetensors").write_bytes(save(small, metadata={}))
    # The library's order of several metadata keys is random: take a file with the order wanted.
    metadata = {"format": "pt", "note": "q\"\\/\b\f\n\r\t\x01é\U0001f600", "a": ""}
    while True:
        data = save(small, metadata=metadata)
        if list(json.loads(header_of(data))["__metadata__"]) == list(metadata):
            break
    (GOLDEN / "st_metadata.safetensors").write_bytes(data)


CONFIG = dict(
    vocab_size=11,
    hidden_size=4,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=6,
    max_position_embeddings=5,
)


def write_shards():
    model = BertForSequenceClassification(BertConfig(**CONFIG, num_labels=3))
    folder = GOLDEN / "shards"
    model.save_pretrained(folder, max_shard_size="1KB")
    (folder / "order.json").write_text(json.dumps(list(model.state_dict())))
    (folder / "config.json").unlink(missing_ok=True)
    for path in folder.iterdir():
        path.chmod(0o644)


OLD_NAMES = [(".LayerNorm.weight", ".LayerNorm.gamma"), (".LayerNorm.bias", ".LayerNorm.beta")]


def with_old_names(tensors):
    out = {}
    for name, tensor in tensors.items():
        for new, old in OLD_NAMES:
            name = name.replace(new, old)
        out[name] = tensor
    return out


def write_names():
    """What transformers itself says of missing and unexpected names."""
    classes = [BertModel, BertForMaskedLM, BertForPreTraining, BertForSequenceClassification, BertForQuestionAnswering]
    config = BertConfig(**CONFIG)
    made = {cls.__name__: cls(config).state_dict() for cls in classes}
    checkpoints = dict(made)
    checkpoints["BertForPreTraining, gamma and beta"] = with_old_names(made["BertForPreTraining"])
    checkpoints["BertModel, position_ids"] = {
        "embeddings.position_ids": torch.arange(5).expand(1, -1).clone(),
        **made["BertModel"],
    }
    checkpoints["BertForMaskedLM, without tied names"] = {
        name: tensor
        for name, tensor in made["BertForMaskedLM"].items()
        if name not in ("cls.predictions.decoder.weight", "cls.predictions.decoder.bias")
    }
    checkpoints["BertForPreTraining, without the last layer"] = {
        name: tensor for name, tensor in made["BertForPreTraining"].items() if ".layer.1." not in name
    }
    cases = []
    for kind, tensors in checkpoints.items():
        for cls in classes:
            copies = {name: tensor.clone() for name, tensor in tensors.items()}
            _, info = cls.from_pretrained(None, config=config, state_dict=copies, output_loading_info=True)
            assert not info["mismatched_keys"] and not info["error_msgs"], (kind, cls)
            cases.append(
                {
                    "checkpoint": kind,
                    "model": cls.__name__,
                    "missing": sorted(info["missing_keys"]),
                    "unexpected": sorted(info["unexpected_keys"]),
                }
            )
    content = {
        "checkpoints": {kind: list(tensors) for kind, tensors in checkpoints.items()},
        "models": {name: list(tensors) for name, tensors in made.items()},
        "cases": cases,
    }
    (GOLDEN / "names.json").write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    assert sys.byteorder == "little"
    write_torch()
    write_safetensors()
    write_shards()
    write_names()
