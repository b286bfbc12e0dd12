"""The constants of the theory, measured on embeddings."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "clusters": [
            "ClusterMeans", "Geometry", "ValueConstants", "cluster_means", "measure_geometry", "measure_value",
        ],
        "intervals": ["Interval", "groups_of_pairs", "jackknife"],
        "gaussian": ["Normality", "normality"],
        "planner": ["Forecast", "Plan", "Push", "plan", "words_of_need"],
        "published": ["published_cosines", "published_norms"],
        "report": ["Audit", "Check", "Spread", "audit"],
    },
)
