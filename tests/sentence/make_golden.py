"""Sentence vectors, losses, every gradient and 10 steps of AdamW by sentence-transformers. Writes golden/.

    python make_golden.py
"""
import json, os, tempfile, warnings
import torch
from safetensors.torch import save_file
from sentence_transformers import SentenceTransformer, losses, models
from transformers import BertConfig, BertModel, BertTokenizerFast

warnings.filterwarnings("ignore")
FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden")
WORDS = "a the game team ball rain home run fans won lost great dull good bad day night match long short".split()
VOCAB = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, ".", "!", "##s", "##ing"]
SHAPE = dict(vocab_size=len(VOCAB), hidden_size=12, num_hidden_layers=2, num_attention_heads=2, intermediate_size=20,
    max_position_embeddings=24, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
TEXTS = ["the game", "a great match !", "rain", "the team lost the long game at home .", "fans", "dull day", "",
    "the ball the ball the ball the ball the ball the ball the ball the ball", "a short night run", "won"]
TRIPLES = [["the game", "a match", "rain all day"], ["great fans", "good fans !", "bad night"],
    ["a long run", "the home run .", "dull"], ["team won", "the team won the game", "team lost"]]
LABELS = [0.9, 0.2, 0.55, -0.3]

torch.manual_seed(11)
BASE = tempfile.mkdtemp()
open(f"{BASE}/vocab.txt", "w").write("\n".join(VOCAB) + "\n")
base = BertModel(BertConfig(**SHAPE))
with torch.no_grad():
    for p in base.parameters(): p.copy_(torch.randn_like(p) * 0.3 + (1.0 if p.dim() == 1 and p.mean() > 0.5 else 0.0))
base.save_pretrained(BASE)
BertTokenizerFast(vocab_file=f"{BASE}/vocab.txt").save_pretrained(BASE)


def build(pooling, normalize):
    transformer = models.Transformer(BASE, max_seq_length=14)
    parts = [transformer, models.Pooling(SHAPE["hidden_size"], pooling_mode=pooling)]
    return SentenceTransformer(modules=parts + ([models.Normalize()] if normalize else []), device="cpu")


LOSSES = {
    "ranking": lambda m: losses.MultipleNegativesRankingLoss(m),
    "ranking_hard": lambda m: losses.MultipleNegativesRankingLoss(m, scale=7.0),
    "cosine": lambda m: losses.CosineSimilarityLoss(m),
    "triplet": lambda m: losses.TripletLoss(m),
    "triplet_cosine": lambda m: losses.TripletLoss(m, losses.TripletDistanceMetric.COSINE, 0.5),
    "triplet_manhattan": lambda m: losses.TripletLoss(m, losses.TripletDistanceMetric.MANHATTAN, 3.0),
}
COLUMNS = {"ranking": 2, "cosine": 2}
CASES = [("mean", False, name) for name in LOSSES] + [("cls", True, "ranking_hard"), ("max", False, "cosine"),
    ("mean_sqrt_len_tokens", True, "triplet"), ("max", True, "triplet_cosine")]

model = build("mean", True)
model.save_pretrained(f"{FOLDER}/folder")
os.remove(f"{FOLDER}/folder/README.md")
vectors = {f"{p} {n}": build(p, n).encode(TEXTS).tolist() for p in ["mean", "cls", "max", "mean_sqrt_len_tokens"] for n in [False, True]}
similarity = model.similarity(model.encode(TEXTS), model.encode(TEXTS)).tolist()
golden, tensors = [], {}
for i, (pooling, normalize, name) in enumerate(CASES):
    model = build(pooling, normalize).train()
    loss_of, columns = LOSSES[name](model), COLUMNS.get(name, 3)
    features = lambda: [model.tokenize([row[c] for row in TRIPLES]) for c in range(columns)]
    labels = torch.tensor(LABELS)
    loss = loss_of(features(), labels)
    loss.backward()
    named = [(n.split("model.", 1)[1], p) for n, p in model.named_parameters()]
    tensors |= {f"{i}.{n}": p.grad.clone() for n, p in named if p.grad is not None}
    model.zero_grad()
    optimizer, values = torch.optim.AdamW([p for _, p in named], lr=2e-3), []
    for _ in range(10):
        value = loss_of(features(), labels)
        value.backward()
        optimizer.step()
        optimizer.zero_grad()
        values.append(value.item())
    golden.append(dict(pooling=pooling, normalize=normalize, loss=name, columns=columns, value=loss.item(), values=values))
    print(golden[-1])
save_file(tensors, f"{FOLDER}/gradients.safetensors")
json.dump(dict(texts=TEXTS, vectors=vectors, similarity=similarity, triples=TRIPLES, labels=LABELS, cases=golden), open(f"{FOLDER}/golden.json", "w"))
