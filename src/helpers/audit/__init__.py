"""The constants of the theory, measured on embeddings."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "clusters": ["Geometry", "ValueConstants", "measure_geometry", "measure_value"],
        "means": ["ClusterMeans", "cluster_means"],
    },
)
