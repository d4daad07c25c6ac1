"""The search for better settings: Optuna proposes, plain trainings try, any number of machines share one study."""
